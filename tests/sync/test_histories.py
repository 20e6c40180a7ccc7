"""Random histories end the same in our store and in PouchDB, in whatever order they were replicated.

Four replicas, two of ours and two real PouchDBs in a node process, edit two documents, make conflicts and
deletions, and replicate to each other at random. In the end all are replicated with all, in a random order.
Then winners, leaves and ancestors are the same everywhere, and those of the union of all edits.

    pytest tests/sync/test_histories.py --hypothesis-profile=long      # thousands of histories
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import revtree
from sync.embedded import open_store
from sync.store import Database, NotFound, Store

FOLDER = Path(__file__).parent / "pouchdb"
NAMES = ("ours", "ours too", "pouch", "pouch too")
DOCS = ("a", "b")
PROFILE = settings()
EXAMPLES = PROFILE.max_examples if PROFILE.max_examples > 100 else 40  # 100: no profile was chosen

Docs = list[dict[str, Any]]
Revs = dict[str, list[str]]
Told = dict[str, dict[str, Any]]  # {id: {winner, leaves: [{rev, deleted, path}]}}


class Replica(Protocol):
    def leaves(self) -> Revs: ...
    def missing(self, revs: Revs) -> Revs: ...
    def read(self, wanted: list[dict[str, str]]) -> Docs: ...
    def write(self, docs: Docs) -> None: ...
    def edit(self, doc: dict[str, Any]) -> str: ...
    def trees(self) -> Told: ...


class Ours:
    def __init__(self, database: Database) -> None:
        self.database = database

    def leaves(self) -> Revs:
        return {row.id: [leaf.rev for leaf in row.leaves] for row in self.database.changes().rows}

    def missing(self, revs: Revs) -> Revs:
        return {doc_id: row["missing"] for doc_id, row in self.database.revs_diff(revs).items()}

    def read(self, wanted: list[dict[str, str]]) -> Docs:
        return [row["docs"][0]["ok"] for row in self.database.bulk_get(wanted, revs=True)]

    def write(self, docs: Docs) -> None:
        self.database.bulk_docs(docs, new_edits=False, writer="w")

    def edit(self, doc: dict[str, Any]) -> str:
        return self.database.put(doc, writer="w")

    def trees(self) -> Told:
        return {doc_id: self._tree(doc_id) for doc_id in self.leaves()}

    def _tree(self, doc_id: str) -> dict[str, Any]:
        found = [row["ok"] for row in self.database.open_revs(doc_id, None, revs=True)]
        (change,) = self.database.changes(doc_ids=[doc_id]).rows
        return {"winner": change.leaves[0].rev, "leaves": sorted(map(_leaf, found), key=_rev)}


class Node:
    """The process with the PouchDBs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "histories.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def ask(self, command: str, database: str, argument: Any = None) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([command, database, argument]) + "\n")
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()  # its input ends, and it with it
        assert self._process.returncode == 0


@dataclass
class Pouch:
    node: Node
    name: str

    def leaves(self) -> Revs:
        return self.node.ask("leaves", self.name)  # type: ignore[no-any-return]

    def missing(self, revs: Revs) -> Revs:
        told = self.node.ask("missing", self.name, revs)
        return {doc_id: row["missing"] for doc_id, row in told.items()}

    def read(self, wanted: list[dict[str, str]]) -> Docs:
        return self.node.ask("read", self.name, wanted)  # type: ignore[no-any-return]

    def write(self, docs: Docs) -> None:
        assert self.node.ask("write", self.name, docs) == []

    def edit(self, doc: dict[str, Any]) -> str:
        return self.node.ask("edit", self.name, doc)  # type: ignore[no-any-return]

    def trees(self) -> Told:
        return self.node.ask("trees", self.name)  # type: ignore[no-any-return]


def _leaf(doc: Mapping[str, Any]) -> dict[str, Any]:
    start, ids = doc["_revisions"]["start"], doc["_revisions"]["ids"]
    path = [f"{start - step}-{name}" for step, name in enumerate(ids)]
    return {"rev": doc["_rev"], "deleted": doc.get("_deleted", False), "path": path}


def _rev(leaf: dict[str, Any]) -> str:
    return str(leaf["rev"])


def replicate(source: Replica, target: Replica) -> None:
    if missing := target.missing(source.leaves()):
        wanted = [{"id": doc_id, "rev": rev} for doc_id, revs in missing.items() for rev in revs]
        target.write(source.read(wanted))


@dataclass
class World:
    """The replicas, and the union of everything that was ever done to a document."""

    replicas: dict[str, Replica]
    union: dict[str, revtree.Tree] = field(default_factory=dict)

    def edit(self, name: str, doc_id: str, leaf: int, text: int, deleted: bool) -> None:
        """An edit as a user makes it, of one of the leaves that the replica knows. What is deleted cannot be
        deleted again.
        """
        parent = self._leaf_of(name, doc_id, leaf)
        deleted = deleted and parent is not None and parent not in self.union[doc_id].deleted
        doc: dict[str, Any] = {"_id": doc_id, "text": text, **({"_rev": parent} if parent else {})}
        if deleted:
            doc["_deleted"] = True
        self._remember(doc_id, self.replicas[name].edit(doc), parent, deleted=deleted)

    def conflict(self, name: str, doc_id: str, leaf: int, text: int, deleted: bool) -> None:
        """A revision made elsewhere, beside one of the leaves that the replica knows."""
        beside = self._leaf_of(name, doc_id, leaf)
        tree = self.union.get(doc_id, revtree.Tree())
        parent = next(iter(tree.parents[beside]), None) if beside else None
        generation = revtree.generation(parent) + 1 if parent else 1
        # PouchDB looks some revisions up by their hash alone, so no two generations may share one.
        rev = f"{generation}-{generation:016x}{text:016x}"
        if rev not in tree:
            self._remember(doc_id, rev, parent, deleted=deleted)
        deleted = rev in self.union[doc_id].deleted
        path = list(revtree.ancestry(self.union[doc_id], rev))
        ids = [step.partition("-")[2] for step in path]
        doc = {"_id": doc_id, "_rev": rev, "_revisions": {"start": len(path), "ids": ids}, "text": text}
        self.replicas[name].write([doc | ({"_deleted": True} if deleted else {})])

    def replicate(self, source: str, target: str) -> None:
        if source != target:
            replicate(self.replicas[source], self.replicas[target])

    def _leaf_of(self, name: str, doc_id: str, leaf: int) -> str | None:
        known = sorted(self.replicas[name].leaves().get(doc_id, []))
        return known[leaf % len(known)] if known else None

    def _remember(self, doc_id: str, rev: str, parent: str | None, *, deleted: bool) -> None:
        tree = self.union.setdefault(doc_id, revtree.Tree())
        revtree.graft(tree, [rev, parent] if parent else [rev], deleted=deleted)

    def expected(self) -> Told:
        return {doc_id: _expected(tree) for doc_id, tree in self.union.items()}


def _expected(tree: revtree.Tree) -> dict[str, Any]:
    leaves = [
        {"rev": rev, "deleted": rev in tree.deleted, "path": list(revtree.ancestry(tree, rev))}
        for rev in revtree.leaves(tree)
    ]
    return {"winner": leaves[0]["rev"], "leaves": sorted(leaves, key=_rev)}


names = st.sampled_from(NAMES)
changes = st.tuples(
    st.sampled_from(["edit", "conflict"]),
    *(names, st.sampled_from(DOCS), st.integers(0, 3), st.integers(0, 5), st.booleans()),
)
replications = st.tuples(st.just("replicate"), names, names)
histories = st.lists(st.one_of(changes, changes, replications), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = open_store(tmp_path_factory.mktemp("histories") / "store.sqlite3")
    yield made
    made.close()


def fresh(store: Store, name: str) -> Ours:
    with contextlib.suppress(NotFound):
        store.delete(name)
    return Ours(store.create(name))


def played(store: Store, node: Node, history: list[tuple[Any, ...]]) -> World:
    for name in ("pouch", "pouch-too"):
        node.ask("forget", name)
    ours, ours_too = fresh(store, "ours"), fresh(store, "ours-too")
    replicas = dict(zip(NAMES, (ours, ours_too, Pouch(node, "pouch"), Pouch(node, "pouch-too")), strict=True))
    world = World(replicas)
    for step, *arguments in history:
        getattr(world, step)(*arguments)
    return world


def everybody_with_everybody(world: World, seed: int) -> None:
    """Each pair twice, in a random order each time: then everybody has everything."""
    for turn in (0, 1):
        pairs = list(permutations(NAMES, 2))
        random.Random(seed + turn).shuffle(pairs)
        for source, target in pairs:
            world.replicate(source, target)


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories, seed=st.integers(0, 10_000))
def test_all_replicas_end_with_the_same_winners_leaves_and_ancestors(
    store: Store, node: Node, history: list[tuple[Any, ...]], seed: int
) -> None:
    world = played(store, node, history)
    everybody_with_everybody(world, seed)
    expected = world.expected()
    for name, replica in world.replicas.items():
        assert replica.trees() == expected, name


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories, seed=st.integers(0, 10_000), revs_limit=st.integers(1, 4))
def test_a_replica_that_forgets_old_ancestors_adds_nothing_to_the_others(
    store: Store, node: Node, history: list[tuple[Any, ...]], seed: int, revs_limit: int
) -> None:
    world = played(store, node, history)
    everybody_with_everybody(world, seed)
    forgetful = fresh(store, "forgetful")
    forgetful.database.set_revs_limit(revs_limit)
    replicate(world.replicas["pouch"], forgetful)
    assert leaves_of(forgetful.trees()) == leaves_of(world.expected())
    for doc_id, told in forgetful.trees().items():
        for leaf in told["leaves"]:
            path = list(revtree.ancestry(world.union[doc_id], leaf["rev"]))
            assert leaf["path"] == path[: len(leaf["path"])]
            assert len(leaf["path"]) >= min(revs_limit, len(path))
    for name in NAMES:
        replicate(forgetful, world.replicas[name])
        forgetful_before = forgetful.trees()
        replicate(world.replicas[name], forgetful)
        assert forgetful.trees() == forgetful_before
        assert world.replicas[name].trees() == world.expected(), name


def leaves_of(told: Told) -> dict[str, Any]:
    return {
        doc_id: (tree["winner"], [(leaf["rev"], leaf["deleted"]) for leaf in tree["leaves"]])
        for doc_id, tree in told.items()
    }
