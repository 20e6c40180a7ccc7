"""Which attachments follow a document."""

from __future__ import annotations

import pytest

from sync import following

DOC = {
    "_id": "r",
    "_rev": "3-c",
    "_revisions": {"start": 3, "ids": ["c", "b", "a"]},
    "_attachments": {
        name: {"revpos": revpos, "stub": True} for name, revpos in [("old", 0), ("p", 1), ("q", 3)]
    },
}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], ["old", "p", "q"]),  # CouchDB gives `revpos` 0 to what came without one
        (["7-x", "2-z"], ["old", "p", "q"]),
        (["1-a"], ["q"]),
        (["1-a", "2-b"], ["q"]),
        (["3-c"], []),
    ],
)
def test_what_is_younger_than_the_youngest_known_ancestor_follows(
    known: list[str], expected: list[str]
) -> None:
    assert following.changed_since(DOC, known) == expected


def test_the_others_stay_stubs() -> None:
    told = following.announced(DOC, ["q"])["_attachments"]
    assert told["q"] == {"revpos": 3, "follows": True}
    assert told["p"] == {"revpos": 1, "stub": True}
