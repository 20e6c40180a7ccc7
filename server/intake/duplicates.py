"""What staff decide about two records that may say the same: both are kept, or one stays and the other is
voided. Written into `office`, once and for good: `duplicate:<pair>:<n>`, n = 1, 2, …, so that of two clerks
who decide at once the second finds what the first decided. A merge is one document; the follower makes of it
the void of the other record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from server.readmodel import codec
from server.readmodel.moments import stamp
from server.readmodel.tables import duplicates
from server.readmodel.upsert import upsert
from sync.store import Conflict, Doc, Store

PREFIX = "duplicate:"
KEPT_BOTH, MERGED = "kept_both", "merged"
NUMBER_MAX = 9999


class Taken(Exception):
    """Somebody else decided first; `decision` is what."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.pair)
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decision:
    """`kept` stays and `voided` goes; both are empty when both records are kept."""

    pair: str
    number: int
    record_ids: tuple[str, str]
    village_code: str
    comment: str
    staff_id: str
    written_at: str
    kept: str = ""
    voided: str = ""

    @property
    def what(self) -> str:
        return MERGED if self.voided else KEPT_BOTH

    @property
    def doc_id(self) -> str:
        return f"{PREFIX}{self.pair}:{self.number:04}"

    def document(self) -> Doc:
        found = {name: value for name, value in asdict(self).items() if value != ""}
        return {"_id": self.doc_id, "type": "duplicate", **found, "record_ids": list(self.record_ids)}

    def review(self) -> Doc:
        """The void of the record that does not stay."""
        return {
            "_id": self.doc_id,
            "type": "review",
            "record_id": self.voided,
            "status": "voided",
            "staff_id": self.staff_id,
            "written_at": self.written_at,
            "comment": self.comment,
            "duplicate_of": self.kept,
        }


def now() -> str:
    return stamp(datetime.now(UTC))


def write(store: Store, decision: Decision) -> None:
    """Raises Taken when there is a decision of this number."""
    office = store.ensure("office")
    try:
        office.put(decision.document(), writer=f"staff:{decision.staff_id}")
    except Conflict:
        first = read(office.get(decision.doc_id))
        raise Taken(first or decision) from None


def read(doc: Mapping[str, Any]) -> Decision | None:
    """None for a document that is no such decision."""
    number, ids = str(doc.get("_id")).rpartition(":")[2], doc.get("record_ids")
    texts = {
        name: str(doc.get(name, "")) for name in ("pair", "village_code", "comment", "staff_id", "written_at")
    }
    kept, voided = doc.get("kept", ""), doc.get("voided", "")
    if not (isinstance(ids, list) and len(ids) == 2 and all(isinstance(each, str) for each in ids)):
        return None
    if not (number.isascii() and number.isdigit() and texts["pair"] and texts["written_at"]):
        return None
    if not (isinstance(kept, str) and isinstance(voided, str) and {kept, voided} in ({""}, set(ids))):
        return None
    return Decision(number=int(number), record_ids=(ids[0], ids[1]), kept=kept, voided=voided, **texts)


def keep(connection: Connection, found: Sequence[Decision]) -> None:
    """The last decision about each pair, into the read model."""
    latest = {each.pair: each for each in sorted(found, key=lambda each: each.number)}
    stored = select(duplicates.c.pair_key, duplicates.c.number).where(duplicates.c.pair_key.in_(latest))
    known: dict[str, int] = dict(connection.execute(stored).all())
    rows = [_row(each) for pair, each in latest.items() if each.number >= known.get(pair, 0)]
    upsert(connection, duplicates, rows)


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "pair_key": codec.key(decision.pair),
        "number": decision.number,
        "decision": decision.what,
        "village_code": codec.key(decision.village_code),
        "decided_at": codec.plain(decision.written_at, 40),
        "doc": codec.encode(decision.document()),
    }
