"""Frozen bulletins in the document store: `office` / `bulletin:<year>-<number>`, written once.

    {"_id": "bulletin:2020-003", "type": "bulletin", number, day, cut_off, as_of, frozen_at, frozen_by,
     replaces?, reason?, digest, signature, "_attachments": {"content.json": …}}

The store is the truth: figures cannot be derived again once more records have come. The content is an
attachment, so that lists read only the small documents. A document's id is its number, so two who freeze at
once cannot take the same one; numbers of a year have no gaps, and each content names the digest of the one
before it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from server.bulletins import sealing
from server.bulletins.refusals import Refused
from sync.store import Conflict, Doc, NotFound, Store, StoreError

DATABASE = "office"
PREFIX = "bulletin:"
CONTENT = "content.json"
NUMBER = re.compile(r"\d{4}-\d{3,6}")
HEAD = ("number", "day", "cut_off", "as_of", "frozen_at", "frozen_by", "replaces", "reason")

KEPT_MAX = 100

_own_figures: dict[str, dict[str, dict[str, Any]]] = {}


class Taken(Exception):
    """Somebody else wrote this number first."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """`number` is `<year>-<number>`; moments are RFC 3339 UTC; `frozen_by` is {staff_id, name}.

    `as_of` says up to when records count: the cut-off, or for a correction the moment it was made.
    """

    number: str
    day: str
    cut_off: str
    as_of: str
    frozen_at: str
    frozen_by: dict[str, str]
    digest: str
    signature: str
    replaces: str | None = None
    reason: str | None = None
    replaced_by: str | None = None

    @property
    def year(self) -> int:
        return int(self.number[:4])

    @property
    def count(self) -> int:
        """The number within its year."""
        return int(self.number[5:])


def every(store: Store) -> list[Bulletin]:
    """All bulletins, oldest number first."""
    try:
        documents = list(store.open(DATABASE).documents(PREFIX))
    except NotFound:
        return []
    replaced = {doc["replaces"]: doc["number"] for doc in documents if doc.get("replaces")}
    found = [_bulletin(doc, replaced.get(doc["number"])) for doc in documents]
    return sorted(found, key=lambda each: (each.year, each.count))


def _bulletin(doc: Doc, replaced_by: str | None) -> Bulletin:
    head = {name: doc[name] for name in HEAD if name in doc}
    return Bulletin(**head, digest=doc["digest"], signature=doc["signature"], replaced_by=replaced_by)


def one(store: Store, number: str) -> Bulletin:
    """Raises Refused."""
    found = next((each for each in every(store) if each.number == number), None)
    if found is None:
        raise Refused("bulletin-unknown", number=number[:40])
    return found


def in_force(bulletins: Sequence[Bulletin], day: str) -> Bulletin | None:
    """The bulletin of a day that no other replaces."""
    return next((each for each in bulletins if each.day == day and not each.replaced_by), None)


def next_number(bulletins: Sequence[Bulletin], year: int) -> str:
    last = last_of(bulletins, year)
    return f"{year}-{(last.count if last else 0) + 1:03}"


def body(store: Store, number: str) -> bytes:
    """The content's bytes as they were signed. Raises Refused when the store has lost them."""
    try:
        return store.open(DATABASE).attachment(PREFIX + number, CONTENT).data
    except StoreError:
        raise Refused("bulletin-unknown", number=number) from None


def content(store: Store, number: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(body(store, number))
    return found


def opened(store: Store, bulletin: Bulletin, key: bytes) -> tuple[dict[str, Any], str | None]:
    """Its content and its damage, of bytes that are read once. Raises Refused."""
    data = body(store, bulletin.number)
    found: dict[str, Any] = orjson.loads(data)
    return found, _damage(bulletin, data, key, found)


def own_figures(store: Store, bulletin: Bulletin) -> dict[str, dict[str, Any]]:
    """{code of the district: its frozen figures}, kept by the content's digest. Not to be changed. Raises
    Refused when the store has lost them."""
    if bulletin.digest not in _own_figures:
        frozen = content(store, bulletin.number)
        code = frozen["district"]["code"]
        if len(_own_figures) >= KEPT_MAX:
            _own_figures.clear()
        _own_figures[bulletin.digest] = {code: frozen["figures"][code]}
    return _own_figures[bulletin.digest]


def write(store: Store, content: dict[str, Any], key: bytes, writer: str) -> Bulletin:
    """Raises Taken when the number exists."""
    data = sealing.canonical(content)
    digest = sealing.digest(data)
    head: dict[str, Any] = {name: content[name] for name in HEAD if name in content}
    sealed: dict[str, Any] = {
        "digest": digest,
        "signature": sealing.signature(key, content["number"], digest),
    }
    attachment = {"content_type": "application/json", "data": base64.b64encode(data).decode()}
    document = {"_id": PREFIX + content["number"], "type": "bulletin", **head, **sealed}
    try:
        store.ensure(DATABASE).put({**document, "_attachments": {CONTENT: attachment}}, writer=writer)
    except Conflict:
        raise Taken(content["number"]) from None
    return Bulletin(**head, digest=sealed["digest"], signature=sealed["signature"])


def damage(store: Store, bulletin: Bulletin, key: bytes) -> str | None:
    """What is wrong with a bulletin: `missing`, `content`, `head` or `signature`; None when it is intact."""
    try:
        data = body(store, bulletin.number)
    except Refused:
        return "missing"
    return _damage(bulletin, data, key)


def _damage(bulletin: Bulletin, data: bytes, key: bytes, read: Mapping[str, Any] | None = None) -> str | None:
    if sealing.digest(data) != bulletin.digest:
        return "content"
    frozen = orjson.loads(data) if read is None else read
    if any(frozen.get(name) != getattr(bulletin, name) for name in HEAD):
        return "head"
    signed = sealing.is_signed(key, bulletin.number, bulletin.digest, bulletin.signature)
    return None if signed else "signature"


def breaks(store: Store, bulletins: Sequence[Bulletin]) -> list[str]:
    """Numbers before which one is missing, or whose content names another predecessor than there is."""
    before: dict[int, Bulletin] = {}
    found = []
    for each in bulletins:
        previous = before.get(each.year)
        count, digest = (previous.count, previous.digest) if previous else (0, None)
        if each.count != count + 1 or _previous(store, each) != digest:
            found.append(each.number)
        before[each.year] = each
    return found


def last_of(bulletins: Sequence[Bulletin], year: int) -> Bulletin | None:
    return next((each for each in reversed(bulletins) if each.year == year), None)


def _previous(store: Store, bulletin: Bulletin) -> str | None:
    try:
        return content(store, bulletin.number).get("previous")
    except (Refused, ValueError):
        return ""
