"""Who has to be looked at again when an answer changes; in which order; and what goes in a circle."""

from collections.abc import Iterable, Mapping

Reads = Mapping[str, Mapping[str, int]]
"""name → the names it reads → how many enclosing repeats both share."""


def cycles(reads: Reads) -> list[list[str]]:
    """Each circle once, as the names on it, the first repeated at the end."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in reads:
        if start not in done:
            _walk(start, reads, done, found)
    return found


def _walk(start: str, reads: Reads, done: set[str], found: list[list[str]]) -> None:
    path: list[str] = [start]
    on_path = {start}
    todo = [iter(reads.get(start, {}))]
    while todo:
        following = next(todo[-1], None)
        if following is None:
            todo.pop()
            done.add(path[-1])
            on_path.discard(path.pop())
        elif following in on_path:
            found.append([*path[path.index(following) :], following])
        elif following not in done:
            path.append(following)
            on_path.add(following)
            todo.append(iter(reads.get(following, {})))


def evaluation_order(names: Iterable[str], reads: Reads) -> list[str]:
    """`names`, each after what it reads, otherwise in the given order. `reads` has no cycle."""
    order: list[str] = []
    placed: set[str] = set()
    for name in names:
        todo = [(name, iter(reads.get(name, {})))]
        while todo:
            current, rest = todo[-1]
            following = next((item for item in rest if item not in placed), None)
            if following is not None:
                todo.append((following, iter(reads.get(following, {}))))
                continue
            todo.pop()
            if current not in placed:
                placed.add(current)
                order.append(current)
    return order


def dependents(reads: Reads) -> dict[str, list[tuple[str, int]]]:
    """The reverse: name → who reads it, with the number of shared repeats."""
    result: dict[str, list[tuple[str, int]]] = {}
    for reader, read in reads.items():
        for name, shared in read.items():
            result.setdefault(name, []).append((reader, shared))
    return result
