"""Revision trees, as CouchDB has them. Pure.

A revision is named `generation-hash`. A document's tree is the set of its revisions and of the edges to their
parents:

    1-a ── 2-b ── 3-c            3-c and 3-e are leaves. 2-d's body never came: only its name is known, from
       └── 2-d ── 3-e            the `_revisions` that travelled with 3-e.

A client hands in a *path*: the new revision first, then its ancestors as far as the client knows them.

Invariants
* Merging is a union of nodes and edges. So it loses no revision, repeating it changes nothing, and the
  order in which paths arrive does not matter.
* A leaf is a revision that is nobody's parent. A tree without nodes does not occur in the store.
* A revision has one parent in every honest history. If histories disagree, both edges are kept and the
  greater parent is the one that is told.
* The winner is the greatest leaf by (not deleted, generation, hash). Every replica picks the same.

What may go wrong for the user: stemming forgets the oldest ancestors. A client that comes back with a
revision older than that is taken for the author of a new branch, and the document shows a conflict.
`REVS_LIMIT` edits lie between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

REVS_LIMIT = 1000

Path = Sequence[str]


@dataclass(slots=True)
class Tree:
    """`parents` names every known revision; `deleted` those that are tombstones."""

    parents: dict[str, set[str]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def __contains__(self, rev: str) -> bool:
        return rev in self.parents

    def copy(self) -> Tree:
        return Tree({rev: set(above) for rev, above in self.parents.items()}, set(self.deleted))


def generation(rev: str) -> int:
    return int(rev[: rev.index("-")])


def sort_key(rev: str) -> tuple[int, str]:
    start, _, name = rev.partition("-")
    return int(start), name


def merge(tree: Tree, path: Path, *, deleted: bool = False) -> Tree:
    """The tree with `path` (newest first) grafted on; `deleted` tells whether `path[0]` is a tombstone."""
    merged = tree.copy()
    graft(merged, path, deleted=deleted)
    return merged


def graft(tree: Tree, path: Path, *, deleted: bool = False) -> None:
    """`merge`, in place."""
    for rev in path:
        tree.parents.setdefault(rev, set())
    for child, parent in pairwise(path):
        tree.parents[child].add(parent)
    if deleted:
        tree.deleted.add(path[0])


def leaves(tree: Tree) -> list[str]:
    """The leaves, the winner first, as CouchDB lists them."""
    inner = set().union(*tree.parents.values()) if tree.parents else set()
    outer = [rev for rev in tree.parents if rev not in inner]
    return sorted(outer, key=lambda rev: (rev not in tree.deleted, sort_key(rev)), reverse=True)


def winner(tree: Tree) -> str:
    return leaves(tree)[0]


def conflicts(tree: Tree) -> list[str]:
    """The live leaves besides the winner."""
    return [rev for rev in leaves(tree)[1:] if rev not in tree.deleted]


def deleted_conflicts(tree: Tree) -> list[str]:
    return [rev for rev in leaves(tree)[1:] if rev in tree.deleted]


def ancestry(tree: Tree, rev: str) -> Iterator[str]:
    """`rev` and its ancestors, newest first."""
    step: str | None = rev
    while step is not None:
        yield step
        step = max(tree.parents[step], key=sort_key, default=None)


def latest(tree: Tree, rev: str) -> list[str]:
    """The leaves that descend from `rev`, the best first; `rev` itself if it is one."""
    return [leaf for leaf in leaves(tree) if rev in _up_from(tree, [leaf])]


def missing(tree: Tree | None, revs: Iterable[str]) -> list[str]:
    return [rev for rev in dict.fromkeys(revs) if tree is None or rev not in tree]


def possible_ancestors(tree: Tree, revs: Iterable[str]) -> list[str]:
    """The leaves older than the newest of the missing `revs`: what a sender could build a difference on."""
    newest = max((generation(rev) for rev in revs), default=0)
    return [leaf for leaf in leaves(tree) if generation(leaf) < newest]


def stem(tree: Tree, revs_limit: int = REVS_LIMIT) -> Tree:
    """The tree without what lies `revs_limit` or more steps above every leaf. Leaves always stay."""
    if len(tree.parents) <= revs_limit:
        return tree
    kept = _up_from(tree, leaves(tree), steps=revs_limit)
    parents = {rev: above & kept for rev, above in tree.parents.items() if rev in kept}
    return Tree(parents, tree.deleted & kept)


def _up_from(tree: Tree, start: Iterable[str], *, steps: int | None = None) -> set[str]:
    seen: set[str] = set()
    level = set(start)
    while level and steps != 0:
        seen |= level
        level = {parent for rev in level for parent in tree.parents[rev]} - seen
        steps = None if steps is None else steps - 1
    return seen


def to_paths(tree: Tree) -> list[list[str]]:
    """The tree as paths for `from_paths`; each ends at a root or where it joins an earlier one."""
    paths: list[list[str]] = []
    told: set[str] = set()
    ends = leaves(tree)
    while ends:
        path = [ends.pop(0)]
        while path[-1] not in told and tree.parents[path[-1]]:
            above = sorted(tree.parents[path[-1]], key=sort_key, reverse=True)
            paths.extend([path[-1], other] for other in above[1:])
            ends.extend(other for other in above[1:] if other not in told)
            told.add(path[-1])
            path.append(above[0])
        told.add(path[-1])
        paths.append(path)
    return paths


def from_paths(paths: Iterable[Path], deleted: Iterable[str] = ()) -> Tree:
    tree = Tree()
    for path in paths:
        graft(tree, path)
    tree.deleted.update(deleted)
    return tree


def revisions_member(tree: Tree, rev: str) -> dict[str, object]:
    """The document member `_revisions` for `rev`."""
    path = list(ancestry(tree, rev))
    return {"start": generation(rev), "ids": [step.partition("-")[2] for step in path]}
