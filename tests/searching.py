"""How many examples a property tries when one takes a tenth of a second or more: a few other ones in each
run, ten times as many with `pytest --hypothesis-profile=long`; and what such properties draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

# Making an example smaller would take longer than finding it.
SEARCH = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
LONG = "long"
LONG_EXAMPLES = 3000
LONG_TIMES = 10

T = TypeVar("T")


def searched(few: int) -> settings:
    """For a property that tries `few` examples in a usual run."""
    times = LONG_TIMES if settings().max_examples == LONG_EXAMPLES else 1
    return settings(
        max_examples=few * times, deadline=None, phases=SEARCH, suppress_health_check=list(HealthCheck)
    )


def portions(data: st.DataObject, whole: Sequence[T]) -> Iterator[list[T]]:
    """All of it in any order, some at a time."""
    rest = data.draw(st.permutations(whole))
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        yield rest[:size]
        rest = rest[size:]
