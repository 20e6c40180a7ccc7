"""How long work on a list says how far it is; whoever hears it may end the work by raising."""

from __future__ import annotations

from collections.abc import Callable

# (done, total, stage): rows read (`read`), rows made comparable (`prepare`), those of the known who were
# looked at (`match`).
Tell = Callable[[int, int | None, str], None]
EVERY = 1000


def silent(_done: int, _total: int | None, _stage: str) -> None:
    """Nobody listens."""
