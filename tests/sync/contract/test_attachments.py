from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from typing import Any

import pytest

from sync.store import BadRequest, Conflict, ContentMismatch, Database, MissingStub, NotFound
from tests.sync.contract.forgetting import wait_until_forgotten

PHOTO = bytes(range(256)) * 40


def inline(data: bytes, content_type: str = "image/jpeg", **members: Any) -> dict[str, Any]:
    return {"content_type": content_type, "data": base64.b64encode(data).decode(), **members}


def digest(data: bytes) -> str:
    return "md5-" + base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def record(rev: str, **attachments: Any) -> dict[str, Any]:
    return {"_id": "r", "_rev": rev, "_attachments": attachments}


def test_an_inline_attachment_comes_back_as_stub_as_data_and_as_bytes(database: Database) -> None:
    database.put({"_id": "r", "_attachments": {"a/b 照片.jpg": inline(PHOTO)}}, writer="w")
    stub = {
        "content_type": "image/jpeg",
        "revpos": 1,
        "digest": digest(PHOTO),
        "length": len(PHOTO),
        "stub": True,
    }
    assert database.get("r")["_attachments"] == {"a/b 照片.jpg": stub}
    full = database.get("r", attachments=True)["_attachments"]["a/b 照片.jpg"]
    assert base64.b64decode(full["data"]) == PHOTO
    assert "stub" not in full
    found = database.attachment("r", "a/b 照片.jpg")
    assert (found.data, found.content_type, found.digest, found.length) == (
        PHOTO,
        "image/jpeg",
        digest(PHOTO),
        len(PHOTO),
    )


def test_an_empty_attachment_is_an_attachment(database: Database) -> None:
    database.put({"_id": "r", "_attachments": {"empty": inline(b"")}}, writer="w")
    assert database.attachment("r", "empty").data == b""


def test_a_stub_keeps_what_the_edited_revision_has(database: Database) -> None:
    database.put({"_id": "r", "_attachments": {"a": inline(PHOTO)}}, writer="w")
    doc = database.get("r")
    rev = database.put(doc | {"text": "more"}, writer="w")
    assert database.attachment("r", "a", rev=rev).data == PHOTO
    assert database.get("r")["_attachments"]["a"]["revpos"] == 1
    rev = database.put({"_id": "r", "_rev": rev}, writer="w")
    assert "_attachments" not in database.get("r")


@pytest.mark.parametrize(
    "stub",
    [
        {"stub": True},
        {"stub": True, "digest": "md5-AAAAAAAAAAAAAAAAAAAAAA=="},
        {"stub": True, "revpos": 7},
    ],
)
def test_a_stub_of_what_is_not_there_is_an_error(database: Database, stub: dict[str, Any]) -> None:
    rev = database.put({"_id": "r", "_attachments": {"a": inline(PHOTO)}}, writer="w")
    name = "other" if stub == {"stub": True} else "a"
    with pytest.raises(MissingStub):
        database.put({"_id": "r", "_rev": rev, "_attachments": {name: stub}}, writer="w")


def test_a_replicated_stub_is_found_in_the_documents_other_revisions(database: Database) -> None:
    database.bulk_docs([record("1-a", photo=inline(PHOTO))], new_edits=False, writer="w")
    stub = {"stub": True, "digest": digest(PHOTO), "revpos": 1}
    child = record("2-b", photo=stub) | {"_revisions": {"start": 2, "ids": ["b", "a"]}}
    database.bulk_docs([child], new_edits=False, writer="w")
    assert database.attachment("r", "photo", rev="2-b").data == PHOTO


@pytest.mark.parametrize("new_edits", [True, False])
@pytest.mark.parametrize(
    "lie",
    [{"digest": digest(b"something else")}, {"length": 5}, {"length": "many"}],
)
def test_a_lie_about_the_content_is_refused_and_nothing_is_kept(
    database: Database, lie: dict[str, Any], new_edits: bool
) -> None:
    honest = {"_id": "before"} if new_edits else {"_id": "before", "_rev": "1-b"}
    lying = {"_id": "r", "_attachments": {"a": inline(PHOTO, **lie)}}
    if not new_edits:
        lying["_rev"] = "1-a"
    with pytest.raises(ContentMismatch):
        database.bulk_docs([honest, lying], new_edits=new_edits, writer="w")
    assert database.info()["doc_count"] == 0


def test_true_claims_about_the_content_are_fine(database: Database) -> None:
    honest = inline(PHOTO, digest=digest(PHOTO), length=len(PHOTO), revpos=1)
    database.bulk_docs([record("1-a", photo=honest)], new_edits=False, writer="w")
    assert database.attachment("r", "photo").data == PHOTO


def test_the_digest_of_a_text_as_couchdb_keeps_it_is_true_too(database: Database) -> None:
    text = "发热 fever\n".encode() * 100
    packer = zlib.compressobj(level=8, wbits=31)
    packed = packer.compress(text) + packer.flush()
    assert gzip.decompress(packed) == text
    sent = inline(text, "text/plain", digest=digest(packed))
    database.bulk_docs([record("1-a", note=sent)], new_edits=False, writer="w")
    assert database.attachment("r", "note").data == text
    with pytest.raises(ContentMismatch):
        other = inline(text, "image/png", digest=digest(packed))
        database.bulk_docs([record("1-b", note=other)], new_edits=False, writer="w")


def test_data_replaced_in_place_may_carry_the_digest_of_what_it_replaces(database: Database) -> None:
    database.put({"_id": "r", "_attachments": {"a": inline(PHOTO)}}, writer="w")
    doc = database.get("r")
    doc["_attachments"]["a"]["data"] = base64.b64encode(b"another").decode()
    del doc["_attachments"]["a"]["stub"]
    database.put(doc, writer="w")
    assert database.attachment("r", "a").data == b"another"
    assert database.get("r")["_attachments"]["a"]["revpos"] == 2


@pytest.mark.parametrize(
    "attachment",
    [
        {},
        {"data": None},
        {"data": 5},
        {"data": "not base64!"},
        {"data": "QQ"},
        {"data": "QQ==", "content_type": 5},
        {"data": "QQ==", "content_type": "text/plain\r\nX-Evil: 1"},
        {"data": "QQ==", "digest": 5},
        {"stub": True, "revpos": "x"},
        {"follows": True, "length": 5},
    ],
)
def test_an_attachment_of_the_wrong_shape_is_refused(database: Database, attachment: Any) -> None:
    with pytest.raises(BadRequest):
        database.put({"_id": "r", "_attachments": {"a": attachment}}, writer="w")


@pytest.mark.parametrize("name", ["", "_a", "\ud800"])
def test_an_illegal_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(BadRequest):
        database.put({"_id": "r", "_attachments": {name: inline(b"x")}}, writer="w")
    with pytest.raises(BadRequest):
        database.put_attachment("r", name, b"x", "text/plain", rev=None, writer="w")


def test_attachments_are_put_and_deleted_one_by_one(database: Database) -> None:
    rev = database.put({"_id": "r", "text": "kept"}, writer="w")
    rev = database.put_attachment("r", "a", PHOTO, "image/jpeg", rev=rev, writer="w")
    rev = database.put_attachment("r", "b", b"b", "text/plain", rev=rev, writer="w")
    assert sorted(database.get("r")["_attachments"]) == ["a", "b"]
    rev = database.delete_attachment("r", "a", rev=rev, writer="w")
    assert sorted(database.get("r")["_attachments"]) == ["b"]
    assert database.get("r")["text"] == "kept"
    with pytest.raises(NotFound, match="missing attachment"):
        database.delete_attachment("r", "a", rev=rev, writer="w")
    for stale in (None, "1-x"):
        with pytest.raises(Conflict):
            database.put_attachment("r", "c", b"c", "text/plain", rev=stale, writer="w")


def test_putting_an_attachment_makes_a_document_where_none_is(database: Database) -> None:
    database.put_attachment("fresh", "a", b"a", "text/plain", rev=None, writer="w")
    assert database.attachment("fresh", "a").data == b"a"


@pytest.mark.beyond_stand_in("details")
def test_what_is_missing_is_told_apart(database: Database) -> None:
    database.put({"_id": "r"}, writer="w")
    with pytest.raises(NotFound, match="Document is missing attachment"):
        database.attachment("r", "a")
    with pytest.raises(NotFound, match="missing"):
        database.attachment("nothing", "a")
    with pytest.raises(NotFound, match="missing"):
        database.attachment("r", "a", rev="1-zzz")


@pytest.mark.beyond_stand_in("compaction")
def test_compaction_keeps_what_a_leaf_names(database: Database) -> None:
    rev = database.put({"_id": "r", "_attachments": {"a": inline(PHOTO), "b": inline(b"b")}}, writer="w")
    doc = database.get("r")
    del doc["_attachments"]["b"]
    database.put(doc, writer="w")
    database.compact()
    wait_until_forgotten(database, "r", rev)
    assert database.attachment("r", "a").data == PHOTO
    with pytest.raises(NotFound):
        database.attachment("r", "b", rev=rev)
