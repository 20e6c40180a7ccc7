"""The import picture of docs/architecture.md, held by the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = (
                ".".join(path.relative_to(ROOT).parent.parts[: -node.level + 1 or None]) if node.level else ""
            )
            yield ".".join(part for part in (package, node.module or "") if part)


def importers(folder: str, module: str) -> set[str]:
    """The files below `folder` that import `module` or something inside it."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
        and any(name == module or name.startswith(module + ".") for name in imports_of(path))
    }


@pytest.mark.parametrize(
    ("folder", "stranger"),
    [
        ("sync", "schemas"),
        ("sync", "server"),
        ("schemas", "sync"),
        ("schemas", "server"),
        ("schemas", "flask"),
        ("schemas", "sqlite3"),
    ],
)
def test_a_lower_layer_does_not_know_a_higher_one(folder: str, stranger: str) -> None:
    assert importers(folder, stranger) == set()


@pytest.mark.parametrize(
    ("module", "home"),
    [("flask", "sync/endpoint/"), ("werkzeug", "sync/endpoint/"), ("sqlite3", "sync/embedded/")],
)
def test_only_one_folder_of_sync_knows(module: str, home: str) -> None:
    strangers = {path for path in importers("sync", module) if not path.startswith(home)}
    assert strangers == set()


def test_one_file_of_sync_knows_pycouchdb() -> None:
    assert importers("sync", "pycouchdb") == importers("sync", "requests") == {"sync/couchdb/client.py"}


def test_revision_trees_are_pure() -> None:
    allowed = {
        "__future__",
        "collections",
        "collections.abc",
        "dataclasses",
        "hashlib",
        "typing",
        "itertools",
        "functools",
        "bisect",
        "heapq",
    }
    assert set(imports_of(ROOT / "sync" / "revtree.py")) <= allowed


def test_every_python_file_below_the_layers_was_looked_at() -> None:
    assert importers("server", "flask"), "the walk finds nothing: the picture is not being checked"
