"""Documents with their attachments as multipart, the way CouchDB's own replicator reads and writes them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sync.endpoint import Limits, multipart
from sync.endpoint.multipart import Following
from sync.incoming import digest_of
from sync.store import BadRequest, NotFound, Store

Ask = Callable[..., TestResponse]

PHOTO, NOTE = bytes(range(256)) * 40 + b"\r\n--not-a-boundary\r\n", "发热 37.9".encode()


def read(answer: TestResponse) -> Message:
    """The answer as Python's own mail parser understands it."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    return BytesParser(policy=HTTP).parsebytes(head + answer.data)


def contents(parts: list[Message]) -> list[bytes]:
    return [part.get_payload(decode=True) for part in parts]  # type: ignore[misc]


@pytest.fixture
def record(admin: Ask) -> str:
    """A record with a photo and a note, edited once since; its revision."""
    made = {
        "photo.jpg": ("image/jpeg", PHOTO),
        "村/备注.txt": ("text/plain", NOTE),
        "空": ("text/plain", b""),
    }
    attachments = {
        name: {"content_type": content_type, "data": base64.b64encode(data).decode()}
        for name, (content_type, data) in made.items()
    }
    rev = admin("PUT", "/open/r", {"n": 1, "_attachments": attachments}).json["rev"]
    doc = admin("GET", f"/open/r?rev={rev}").json | {"n": 2}
    return admin("PUT", "/open/r", doc).json["rev"]


def by_name(document: dict[str, Any], parts: list[Message]) -> dict[str, bytes]:
    names = [name for name, stub in document["_attachments"].items() if stub.get("follows")]
    return dict(zip(names, contents(parts), strict=True))


def test_a_document_and_its_attachments_come_as_one_answer(admin: Ask, record: str) -> None:
    answer = admin("GET", "/open/r?attachments=true", headers={"Accept": "multipart/related"})
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["ETag"] == f'"{record}"'
    first, *rest = read(answer).get_payload()
    document = json.loads(first.get_payload(decode=True))
    assert (document["_rev"], document["n"]) == (record, 2)
    assert by_name(document, rest) == {"photo.jpg": PHOTO, "村/备注.txt": NOTE, "空": b""}
    assert [part.get_content_type() for part in rest] == ["image/jpeg", "text/plain", "text/plain"]


def test_who_names_no_type_gets_parts_and_who_wants_json_gets_json(admin: Ask, record: str) -> None:
    assert admin("GET", "/open/r?attachments=true").mimetype == "multipart/related"
    assert admin("GET", "/open/r?attachments=true", headers={"Accept": "*/*"}).mimetype == "multipart/related"
    told = admin("GET", "/open/r?attachments=true", headers={"Accept": "application/json"})
    assert base64.b64decode(told.json["_attachments"]["photo.jpg"]["data"]) == PHOTO
    admin("PUT", "/open/plain", {"n": 1})
    assert admin("GET", "/open/plain?attachments=true").json["n"] == 1


def test_leaves_come_one_part_each_and_missing_ones_are_told(admin: Ask, record: str) -> None:
    rest = admin(
        "GET", f'/open/r?open_revs=["{record}","9-x"]&revs=true', headers={"Accept": "multipart/mixed"}
    )
    assert rest.mimetype == "multipart/mixed"
    found, missing = read(rest).get_payload()
    assert found.get_content_type() == "multipart/related"
    document, *attachments = found.get_payload()
    told = json.loads(document.get_payload(decode=True))
    assert len(told["_revisions"]["ids"]) == 2
    assert by_name(told, attachments)["photo.jpg"] == PHOTO
    assert missing["Content-Type"] == 'application/json; error="true"'
    assert json.loads(missing.get_payload(decode=True)) == {"missing": "9-x"}


def test_many_documents_come_as_parts_when_json_is_not_taken(admin: Ask, record: str) -> None:
    admin("PUT", "/open/plain", {"n": 1})
    wanted = {"docs": [{"id": "r"}, {"id": "plain"}, {"id": "nothing"}]}
    assert admin("POST", "/open/_bulk_get", wanted).mimetype == "application/json"
    told = admin("POST", "/open/_bulk_get", wanted, headers={"Accept": "multipart/mixed"})
    with_photo, plain, error = read(told).get_payload()
    assert (with_photo["X-Doc-Id"], with_photo["X-Rev-Id"]) == ("r", record)
    assert len(with_photo.get_payload()) == 4
    assert json.loads(plain.get_payload(decode=True))["_id"] == "plain"
    assert json.loads(error.get_payload(decode=True))["error"] == "not_found"


@pytest.mark.parametrize("accept", ["application/json", "multipart/related"])
def test_only_attachments_younger_than_a_known_revision_are_sent(
    admin: Ask, record: str, accept: str
) -> None:
    newest = admin("PUT", f"/open/r/new?rev={record}", data=b"new", content_type="image/png").json["rev"]
    asked = {"Accept": accept}
    answer = admin("GET", f'/open/r?atts_since=["{record}"]&rev={newest}', headers=asked)
    if accept == "application/json":
        document = answer.json
        assert [name for name, one in document["_attachments"].items() if "data" in one] == ["new"]
    else:
        first, *rest = read(answer).get_payload()
        document = json.loads(first.get_payload(decode=True))
        assert by_name(document, rest) == {"new": b"new"}
    assert sum("stub" in one for one in document["_attachments"].values()) == 3
    assert "_revisions" not in document
    everything = admin("GET", '/open/r?atts_since=["7-unknown"]', headers={"Accept": "application/json"}).json
    assert all("data" in one for one in everything["_attachments"].values())


def test_a_name_or_type_cannot_break_out_of_the_headers_of_its_part(admin: Ask) -> None:
    name = 'a"\r\nX-Evil: 1\r\n\r\nb'
    doc = {"_rev": "1-a", "_attachments": {name: {"content_type": "发/热", "data": "YWJj"}}}
    assert admin("PUT", "/open/e?new_edits=false", doc).status_code == 201
    _, part = read(admin("GET", "/open/e?attachments=true")).get_payload()
    assert part["X-Evil"] is None
    assert part.get_payload(decode=True) == b"abc"


def test_an_answer_that_cannot_be_finished_does_not_look_finished(
    client: FlaskClient, record: str, store: Store
) -> None:
    answer = client.get("/sync/open/r?attachments=true", auth=("admin", "secret"))
    chunks = iter(answer.response)
    assert b"_attachments" in next(chunks)
    store.delete("open")
    with pytest.raises(NotFound):
        list(chunks)


# Writing


def related(doc: dict[str, Any], *attachments: bytes) -> dict[str, Any]:
    following = [(Following(f"a{n}", "image/png", len(data)), data) for n, data in enumerate(attachments)]
    body = b"".join(multipart.related(b"limit", json.dumps(doc).encode(), following))
    return {"data": body, "content_type": 'multipart/related; boundary="limit"'}


def follows(data: bytes, **declared: Any) -> dict[str, Any]:
    return {"content_type": "image/png", "follows": True, "length": len(data), **declared}


def test_attachments_that_follow_are_kept_with_their_document(admin: Ask, store: Store) -> None:
    doc = {"_rev": "3-c", "_revisions": {"start": 3, "ids": ["c", "b"]}, "n": 1}
    doc["_attachments"] = {
        "photo": follows(PHOTO, revpos=2, digest=digest_of(PHOTO)),
        "inline": {"content_type": "text/plain", "data": "YWJj"},
        "note": follows(NOTE, revpos=3),
    }
    answer = admin("PUT", "/open/r?new_edits=false", **related(doc, PHOTO, NOTE))
    assert (answer.status_code, answer.json["rev"]) == (201, "3-c")
    database = store.open("open")
    assert database.attachment("r", "photo").data == PHOTO
    assert database.attachment("r", "note").data == NOTE
    assert database.attachment("r", "inline").data == b"abc"
    assert {name: one["revpos"] for name, one in database.get("r")["_attachments"].items()} == {
        "photo": 2,
        "inline": 3,
        "note": 3,
    }


def test_an_edit_can_come_in_parts_too(admin: Ask) -> None:
    first = admin("PUT", "/open/r", **related({"_attachments": {"p": follows(PHOTO)}}, PHOTO))
    assert first.json["rev"].startswith("1-")
    assert admin("PUT", "/open/r", **related({"_attachments": {"p": follows(NOTE)}}, NOTE)).status_code == 409
    assert admin("GET", "/open/r/p").data == PHOTO


def test_a_text_that_comes_compressed_is_kept_as_the_text(admin: Ask, store: Store) -> None:
    packed = gzip.compress(NOTE, mtime=0)
    stub = follows(NOTE, encoding="gzip", encoded_length=len(packed), digest=digest_of(packed))
    doc = {"_rev": "1-a", "_attachments": {"note": stub}}
    assert admin("PUT", "/open/r?new_edits=false", **related(doc, packed)).status_code == 201
    found = store.open("open").attachment("r", "note")
    assert (found.data, found.digest) == (NOTE, digest_of(NOTE))


def test_a_stub_may_name_a_text_by_the_digest_of_how_couchdb_keeps_it(admin: Ask) -> None:
    note = {"content_type": "text/plain", "data": base64.b64encode(NOTE * 50).decode()}
    admin("PUT", "/open/r?new_edits=false", {"_rev": "1-a", "_attachments": {"note": note}})
    digest = "md5-" + "nHTnQJwzLZQD3NVk1ywYwg=="
    stub = {"content_type": "text/plain", "stub": True, "revpos": 1, "digest": digest}
    doc = {"_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "_attachments": {"note": stub}}
    assert admin("PUT", "/open/r?new_edits=false", doc).json["error"] == "missing_stub"
    stub["digest"] = couchdb_digest(NOTE * 50)
    assert admin("PUT", "/open/r?new_edits=false", doc).status_code == 201
    assert admin("GET", "/open/r/note?rev=2-b").data == NOTE * 50


def couchdb_digest(text: bytes) -> str:
    packed = gzip.compress(text, compresslevel=8, mtime=0)
    return digest_of(packed[:9] + b"\x03" + packed[10:])  # as zlib writes it on Unix


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 200, -1, -2, -3, -20])
def test_a_body_that_is_cut_short_leaves_nothing(admin: Ask, store: Store, cut: int) -> None:
    sent = related({"_rev": "1-a", "_attachments": {"p": follows(PHOTO)}}, PHOTO)
    sent["data"] = sent["data"][:cut]
    answer = admin("PUT", "/open/r?new_edits=false", **sent)
    assert (answer.status_code, answer.json["error"]) == (400, "bad_request")
    assert store.open("open").info()["doc_count"] == 0


def test_a_body_above_the_limit_is_refused_and_leaves_nothing(standalone: ModuleType, store: Store) -> None:
    client = standalone.create_app(store, limits=Limits(body_bytes_max=5000)).test_client()
    photo = bytes(6000)
    sent = related({"_rev": "1-a", "_attachments": {"p": follows(photo)}}, photo)
    answer = client.put("/sync/open/r?new_edits=false", auth=("admin", "secret"), **sent)
    assert (answer.status_code, answer.json["error"]) == (413, "too_large")
    bomb = gzip.compress(bytes(1_000_000), mtime=0)
    assert len(bomb) < 2000
    doc = {"_rev": "1-a", "_attachments": {"p": follows(bytes(1_000_000), encoding="gzip")}}
    doc["_attachments"]["p"]["encoded_length"] = len(bomb)
    answer = client.put("/sync/open/r?new_edits=false", auth=("admin", "secret"), **related(doc, bomb))
    assert answer.status_code == 413
    assert store.open("open").info()["doc_count"] == 0


@given(
    document=st.binary(min_size=1).filter(lambda data: b"limit" not in data),
    attachments=st.lists(st.binary().filter(lambda data: b"limit" not in data), max_size=4),
    cuts=st.lists(st.integers(min_value=0, max_value=400), max_size=8),
)
def test_what_is_written_is_read_again_however_it_is_cut_into_chunks(
    document: bytes, attachments: list[bytes], cuts: list[int]
) -> None:
    following = [(Following("p", "image/png", len(data)), data) for data in attachments]
    body = b"".join(multipart.related(b"limit", document, following))
    assert len(body) == multipart.related_length(b"limit", document, [one for one, _ in following])
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    chunks = [body[start:end] for start, end in pairwise(edges)]
    told = [part.data for part in multipart.parts(chunks, b"limit")]
    assert told == [document, *attachments]
    with pytest.raises(BadRequest):
        list(multipart.parts([body[:-1]], b"limit"))
