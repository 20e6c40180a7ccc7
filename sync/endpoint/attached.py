"""Documents with their attachments: inline in JSON, or behind it as multipart where the client takes that."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response

from sync import following
from sync.endpoint import answers, multipart
from sync.endpoint.call import Call
from sync.endpoint.multipart import Following
from sync.incoming import check_rev
from sync.store import BadRequest, Database, Doc


@dataclass(frozen=True, slots=True)
class Telling:
    """How a client wants to be told of attachments: `since` names the revisions whose attachments it has."""

    database: Database
    since: tuple[str, ...] = ()
    keep_revisions: bool = True

    def options(self, options: dict[str, bool]) -> dict[str, bool]:
        """What to ask the store for: attachments as stubs, and the history to look for `since` in."""
        return options | {"attachments": False, "revs": True}

    def split(self, doc: Doc) -> tuple[Doc, list[str]]:
        """The document as it was asked for, and the attachments to send along."""
        names = following.changed_since(doc, self.since)
        if not self.keep_revisions:
            doc = {member: value for member, value in doc.items() if member != "_revisions"}
        return doc, names

    def inline(self, doc: Doc) -> Doc:
        doc, names = self.split(doc)
        if not names:
            return doc
        told = {name: self._inline(doc, name) for name in names}
        return {**doc, "_attachments": {**doc["_attachments"], **told}}

    def _inline(self, doc: Doc, name: str) -> dict[str, Any]:
        data = self.database.attachment(doc["_id"], name, rev=doc["_rev"]).data
        stub = {
            member: value
            for member, value in doc["_attachments"][name].items()
            if member not in ("stub", "length")
        }
        return stub | {"data": base64.b64encode(data).decode()}

    def framed(self, doc: Doc) -> Framed:
        doc, names = self.split(doc)
        heads = [_head(name, doc["_attachments"][name]) for name in names]
        return Framed(self.database, doc, orjson.dumps(following.announced(doc, names)), heads)


@dataclass(frozen=True, slots=True)
class Framed:
    """A document, as JSON and with its attachments behind it."""

    database: Database
    doc: Doc
    document: bytes
    heads: list[Following]

    def content_type(self, boundary: bytes) -> str:
        return f'multipart/related; boundary="{boundary.decode()}"' if self.heads else answers.JSON

    def length(self, boundary: bytes) -> int:
        return multipart.related_length(boundary, self.document, self.heads)

    def chunks(self, boundary: bytes) -> Iterator[bytes]:
        """Read while it is sent: what is gone meanwhile breaks the answer off, unfinished."""
        if not self.heads:
            yield self.document
            return
        yield from multipart.related(boundary, self.document, ((one, self._data(one)) for one in self.heads))

    def _data(self, one: Following) -> bytes:
        return self.database.attachment(self.doc["_id"], one.name, rev=self.doc["_rev"]).data


def _head(name: str, stub: dict[str, Any]) -> Following:
    return Following(name, answers.header_value(stub["content_type"]), stub["length"])


def new_boundary() -> bytes:
    return uuid.uuid4().hex.encode()


def related(framed: Framed) -> Response:
    boundary = new_boundary()
    headers = {"Content-Length": str(framed.length(boundary)), "Cache-Control": "must-revalidate"}
    return Response(framed.chunks(boundary), headers=headers, content_type=framed.content_type(boundary))


def mixed(
    found: Iterable[Framed | dict[str, Any]], mimetype: str = "multipart/mixed", *, named: bool = False
) -> Response:
    """Documents, and what is told instead of those that are missing; `named` puts ids into the headers."""
    outer = new_boundary()
    answer = answers.streamed(_mixed_chunks(found, outer, named))
    answer.headers["Content-Type"] = f'{mimetype}; boundary="{outer.decode()}"'
    return answer


def _mixed_chunks(found: Iterable[Framed | dict[str, Any]], outer: bytes, named: bool) -> Iterator[bytes]:
    inner = new_boundary()
    yield b"--" + outer
    for one in found:
        if isinstance(one, Framed):
            head = (_names(one.doc) if named else "") + f"Content-Type: {one.content_type(inner)}"
            yield f"\r\n{head}\r\n\r\n".encode()
            yield from one.chunks(inner)
        else:
            yield b'\r\nContent-Type: application/json; error="true"\r\n\r\n' + orjson.dumps(one)
        yield b"\r\n--" + outer
    yield b"--"


def _names(doc: Doc) -> str:
    doc_id = "".join(character if character.isprintable() else " " for character in doc["_id"])
    return f"X-Doc-Id: {doc_id}\r\nX-Rev-Id: {doc['_rev']}\r\n"


def asked_since(call: Call) -> tuple[str, ...] | None:
    """`atts_since` of the query; None without it."""
    if call.query.text("atts_since") is None:
        return None
    return revs_of(call, call.query.json("atts_since"))


def revs_of(call: Call, revs: object) -> tuple[str, ...]:
    if not isinstance(revs, list):
        raise BadRequest("Invalid list of revisions")
    call.bounded(revs)
    return tuple(dict.fromkeys(check_rev(rev) for rev in revs))
