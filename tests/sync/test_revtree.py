"""Revision trees: what merging promises, whatever arrives in whatever order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sync import revtree
from sync.revtree import Tree


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[str], bool]]:
    """Paths of one document that really could have been: every revision has one parent."""
    parents: dict[str, str | None] = {}
    revs: list[str] = []
    for _ in range(draw(st.integers(1, 12))):
        parent = draw(st.none() | st.sampled_from(revs)) if revs else None
        start = revtree.generation(parent) + 1 if parent else 1
        rev = f"{start}-{draw(st.sampled_from('abcdef'))}{len(revs)}"
        parents[rev] = parent
        revs.append(rev)
    paths = []
    for rev in draw(st.lists(st.sampled_from(revs), min_size=1, max_size=8, unique=True)):
        path = [rev]
        while (parent := parents[path[-1]]) is not None:
            path.append(parent)
        known = draw(st.integers(1, len(path)))
        paths.append((path[:known], draw(st.booleans())))
    return paths


wild_revs = st.builds(lambda start, name: f"{start}-{name}", st.integers(1, 6), st.sampled_from("abc"))


@st.composite
def wild_paths(draw: st.DrawFn) -> list[tuple[list[str], bool]]:
    """Paths of clients that contradict each other about who is whose parent."""
    paths = []
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(1, 6))
        length = draw(st.integers(1, start))
        path = [f"{start - step}-{draw(st.sampled_from('abc'))}" for step in range(length)]
        paths.append((path, draw(st.booleans())))
    return paths


def merged(paths: list[tuple[list[str], bool]]) -> Tree:
    tree = Tree()
    for path, deleted in paths:
        tree = revtree.merge(tree, path, deleted=deleted)
    return tree


def deletions_agree(paths: list[tuple[list[str], bool]]) -> list[tuple[list[str], bool]]:
    told: dict[str, bool] = {}
    return [(path, told.setdefault(path[0], deleted)) for path, deleted in paths]


@given(histories() | wild_paths())
def test_merging_loses_no_revision(paths: list[tuple[list[str], bool]]) -> None:
    tree = merged(paths)
    assert set(tree.parents) == {rev for path, _ in paths for rev in path}


@given(histories() | wild_paths(), st.randoms())
def test_the_order_of_arrival_does_not_matter(
    paths: list[tuple[list[str], bool]], chance: random.Random
) -> None:
    paths = deletions_agree(paths)
    other = paths.copy()
    chance.shuffle(other)
    assert merged(other) == merged(paths)


@given(histories() | wild_paths())
def test_merging_again_changes_nothing(paths: list[tuple[list[str], bool]]) -> None:
    assert merged(paths + paths) == merged(paths)


@given(histories() | wild_paths())
def test_merging_leaves_the_merged_tree_as_it_was(paths: list[tuple[list[str], bool]]) -> None:
    tree = merged(paths[:-1])
    before = tree.copy()
    revtree.merge(tree, paths[-1][0], deleted=paths[-1][1])
    assert tree == before


@given(histories() | wild_paths())
def test_a_leaf_is_nobodys_parent_and_every_other_revision_is_somebodys(
    paths: list[tuple[list[str], bool]],
) -> None:
    tree = merged(paths)
    leaves = set(revtree.leaves(tree))
    assert leaves
    assert leaves == set(tree.parents) - {parent for above in tree.parents.values() for parent in above}


@given(histories() | wild_paths())
def test_the_stored_form_gives_the_same_tree_again(paths: list[tuple[list[str], bool]]) -> None:
    tree = merged(paths)
    assert revtree.from_paths(revtree.to_paths(tree), tree.deleted) == tree


@given(histories())
def test_an_honest_history_is_stored_without_repeating_itself(paths: list[tuple[list[str], bool]]) -> None:
    tree = merged(paths)
    told = [rev for path in revtree.to_paths(tree) for rev in path]
    joints = len(revtree.to_paths(tree))
    assert len(told) <= len(tree.parents) + joints


@given(histories() | wild_paths(), st.integers(1, 6))
def test_stemming_keeps_every_leaf_and_adds_nothing(
    paths: list[tuple[list[str], bool]], revs_limit: int
) -> None:
    tree = merged(paths)
    stemmed = revtree.stem(tree, revs_limit)
    assert revtree.leaves(stemmed) == revtree.leaves(tree)
    assert set(stemmed.parents) <= set(tree.parents)
    assert all(above <= set(stemmed.parents) for above in stemmed.parents.values())


@given(histories(), st.integers(1, 6))
def test_stemming_leaves_each_leaf_its_nearest_ancestors(
    paths: list[tuple[list[str], bool]], revs_limit: int
) -> None:
    tree = merged(paths)
    stemmed = revtree.stem(tree, revs_limit)
    for leaf in revtree.leaves(tree):
        assert (
            list(revtree.ancestry(stemmed, leaf))[:revs_limit]
            == list(revtree.ancestry(tree, leaf))[:revs_limit]
        )


@given(histories())
def test_the_latest_of_a_revision_are_leaves_that_descend_from_it(
    paths: list[tuple[list[str], bool]],
) -> None:
    tree = merged(paths)
    for rev in tree.parents:
        found = revtree.latest(tree, rev)
        assert found
        assert all(rev in revtree.ancestry(tree, leaf) for leaf in found)


def test_the_winner_is_live_before_dead_then_longest_then_greatest() -> None:
    tree = merged([(["2-b", "1-a"], False), (["2-c", "1-a"], False), (["3-z", "2-y", "1-a"], True)])
    assert revtree.leaves(tree) == ["2-c", "2-b", "3-z"]
    assert revtree.winner(tree) == "2-c"
    assert revtree.conflicts(tree) == ["2-b"]
    assert revtree.deleted_conflicts(tree) == ["3-z"]


def test_generations_are_compared_as_numbers() -> None:
    tree = merged([(["9-x", "8-a"], False), (["10-b", "9-c", "8-a"], False)])
    assert revtree.winner(tree) == "10-b"


def test_a_history_that_comes_in_two_halves_becomes_one_branch() -> None:
    tree = merged([(["4-d", "3-c"], False), (["3-c", "2-b", "1-a"], False)])
    assert revtree.leaves(tree) == ["4-d"]
    assert list(revtree.ancestry(tree, "4-d")) == ["4-d", "3-c", "2-b", "1-a"]


def test_missing_revisions_come_with_the_leaves_to_build_on() -> None:
    tree = merged([(["2-b", "1-a"], False)])
    assert revtree.missing(tree, ["2-b", "3-c", "3-c", "1-a"]) == ["3-c"]
    assert revtree.possible_ancestors(tree, ["3-c"]) == ["2-b"]
    assert revtree.possible_ancestors(tree, ["1-z"]) == []
    assert revtree.missing(None, ["1-a"]) == ["1-a"]
