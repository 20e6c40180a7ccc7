"""How many examples a property tries when one takes a tenth of a second or more: a few other ones in each
run, ten times as many with `pytest --hypothesis-profile=long`."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Making an example smaller would take longer than finding it.
SEARCH = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
LONG = "long"
LONG_EXAMPLES = 3000
LONG_TIMES = 10


def searched(few: int) -> settings:
    """For a property that tries `few` examples in a usual run."""
    times = LONG_TIMES if settings().max_examples == LONG_EXAMPLES else 1
    return settings(
        max_examples=few * times, deadline=None, phases=SEARCH, suppress_health_check=list(HealthCheck)
    )
