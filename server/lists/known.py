"""Whom the district knows: persons in visits that count, households of the register; and the rows of a list
made comparable with them.

Identity numbers are compared by the read model's own keys, HMACs under the district's key; of a number whose
last digits Excel lost, every completion has a key.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from schemas.expressions.identity import CHECK_CHARACTERS, WEIGHTS, normalize_phone
from server.lists.matching import Known, Wanted
from server.lists.rows import ListRow
from server.lists.telling import EVERY, Tell, silent
from server.readmodel import codec
from server.readmodel.declaration import Declaration
from server.readmodel.identities import Identities
from server.readmodel.model import ReadModel
from server.readmodel.tables import mentions, records, register
from server.register.search import person_key

AT_ONCE = 2000
PERSON = "person"
STAGE = "match"


def plain_name(name: str) -> str:
    """Width, blanks and the dots inside names tell nobody apart."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in text if not letter.isspace() and letter not in "·・.•")


def spelled(name: str) -> str:
    return person_key(name).partition(" ")[0] if name else ""


# The rows of a list


class Places:
    """Villages and towns by what lists call them."""

    def __init__(self, areas: Sequence[Mapping[str, Any]]) -> None:
        self._towns = {each["name"]: each["code"] for each in areas if each["level"] == "town"}
        self._villages = [(each["name"], each["code"]) for each in areas if each["level"] == "village"]
        self._codes = {each["code"] for each in areas if each["level"] in ("town", "village")}

    def code(self, values: Mapping[str, str]) -> str:
        """The village that a row names, else its town, else ""; a village's name that two towns have needs
        the town."""
        given = [values.get(name, "").strip() for name in ("village", "town", "address")]
        if given[0] in self._codes:
            return given[0]
        text = " ".join(given)
        town = next((code for name, code in self._towns.items() if name in text), "")
        named = [
            code for name, code in self._villages if name in (given[0] or text) and code.startswith(town)
        ]
        return named[0] if len(named) == 1 else town


class Keys:
    """The read model's keys of identity numbers."""

    def __init__(self, district_key: bytes) -> None:
        self._identities = Identities(district_key)

    def of(self, number: str) -> str:
        return self._identities.of(PERSON, {"id_number": number}, "") or "" if number else ""

    def beginning(self, digits: str) -> frozenset[str]:
        """Of every number that begins with these 15 digits: two digits and the check character are lost."""
        return (
            frozenset(self.of(_checked(f"{digits}{end:02}")) for end in range(100)) if digits else frozenset()
        )


def _checked(digits: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return digits + CHECK_CHARACTERS[total % 11]


def wanted(rows: Sequence[ListRow], places: Places, keys: Keys, tell: Tell = silent) -> list[Wanted]:
    found: list[Wanted] = []
    for row in rows:
        if len(found) % EVERY == 0:
            tell(len(found), len(rows), "prepare")
        name = plain_name(row.values.get("name", ""))
        found.append(
            Wanted(
                number=row.number,
                name=name,
                pinyin=spelled(name),
                phone=normalize_phone(row.values.get("phone", "")).replace("-", ""),
                area=places.code(row.values),
                id_key=keys.of(row.values.get("id_number", "")),
                id_keys_begin=keys.beginning(row.values.get("id_begin", "")),
            )
        )
    return found


# The known


def everybody(readmodel: ReadModel, tell: Tell = silent) -> Iterator[Known]:
    """Read as a stream: memory holds the persons of visits, never the register."""
    with readmodel.engine.connect() as connection:
        seen = _Seen(_how_many(connection), tell)
        yield from _persons(connection, readmodel.declaration, seen).values()
        for each in _households(connection):
            seen.one_more()
            yield each


def _how_many(connection: Connection) -> int:
    """Rows to be read, about: mentions of persons by records that do not count are among them."""
    count = select(func.count())
    persons = connection.execute(count.where(mentions.c.kind == PERSON)).scalar_one()
    return int(persons + connection.execute(count.where(register.c.kind == "household")).scalar_one())


class _Seen:
    def __init__(self, total: int, tell: Tell) -> None:
        self._total, self._tell, self._seen = total, tell, 0
        tell(0, total, STAGE)

    def one_more(self) -> None:
        self._seen += 1
        if self._seen % EVERY == 0:
            self._tell(min(self._seen, self._total), self._total, STAGE)


def _persons(connection: Connection, declaration: Declaration, seen: _Seen) -> dict[str, Known]:
    """By key; what the last record says of somebody, and when the first one came."""
    if PERSON not in declaration.mentioned:
        return {}
    repeat = declaration.mentioned[PERSON].each
    rows = connection.execution_options(yield_per=AT_ONCE).execute(
        select(mentions.c.unit_key, mentions.c.place, records.c.record_id, records.c.village_code,
               records.c.household_id, records.c.received_at, records.c.doc)
        .join(records, (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id))
        .where(mentions.c.kind == PERSON, records.c.effective)
        .order_by(records.c.received_at, records.c.record_id)
    )  # fmt: skip
    found: dict[str, Known] = {}
    for row in rows:
        seen.one_more()
        answers = codec.decode(row.doc).get("answers") or {}
        said = _instance(answers.get(repeat), row.place)
        earlier = found.get(row.unit_key)
        found[row.unit_key] = Known(
            key=f"person:{row.unit_key}",
            kind=PERSON,
            name=(name := plain_name(_word(said, "person_name")) or (earlier.name if earlier else "")),
            pinyin=spelled(name),
            phone=_phone(said) or (earlier.phone if earlier else ""),
            village_code=row.village_code,
            household_id=row.household_id or "",
            id_key=row.unit_key if row.unit_key.startswith("id:") else "",
            record_id=row.record_id,
            since=earlier.since if earlier else row.received_at,
        )
    return found


def _instance(rows: Any, place: int) -> Mapping[str, Any]:
    instances = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return instances[place] if place < len(instances) else {}


def _households(connection: Connection) -> Iterator[Known]:
    rows = connection.execution_options(yield_per=AT_ONCE).execute(
        select(register.c.unit_id, register.c.village_code, register.c.doc).where(
            register.c.kind == "household"
        )
    )
    for row in rows:
        entry = codec.decode(row.doc)
        yield Known(
            key=f"household:{row.village_code}:{row.unit_id}",
            kind="household",
            name=plain_name(_word(entry, "head_name")),
            pinyin=_word(entry, "head_search").partition(" ")[0],
            phone=_phone(entry),
            village_code=row.village_code,
            household_id=row.unit_id,
            address=_word(entry, "address"),
        )


def _phone(said: Mapping[str, Any]) -> str:
    return normalize_phone(_word(said, "phone")).replace("-", "")


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def details(readmodel: ReadModel, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """What the register and the last record say of these, in clear: {key: {name, phone, address, …}}."""
    found: dict[str, dict[str, str]] = {}
    with readmodel.engine.connect() as connection:
        for key in keys:
            kind, _, rest = key.partition(":")
            if kind == PERSON:
                said = _person_details(connection, readmodel.declaration, rest)
            else:
                said = _household_details(connection, rest)
            if said:
                found[key] = {name: value for name, value in said.items() if value}
    return found


def _household_details(connection: Connection, rest: str) -> dict[str, str]:
    village, _, unit_id = rest.partition(":")
    row = connection.execute(
        select(register.c.doc).where(
            register.c.kind == "household", register.c.unit_id == unit_id, register.c.village_code == village
        )
    ).first()
    entry = codec.decode(row.doc) if row else {}
    return {
        "name": _word(entry, "head_name"),
        "phone": _word(entry, "phone"),
        "address": _word(entry, "address"),
        "village_code": village,
        "household_id": unit_id if row else "",
    } if row else {}  # fmt: skip


def _person_details(connection: Connection, declaration: Declaration, unit_key: str) -> dict[str, str]:
    repeat = declaration.mentioned[PERSON].each
    row = connection.execute(
        select(mentions.c.place, records.c.record_id, records.c.village_code, records.c.household_id,
               records.c.work_date, records.c.doc)
        .join(records, (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id))
        .where(mentions.c.kind == PERSON, mentions.c.unit_key == unit_key, records.c.effective)
        .order_by(records.c.received_at.desc(), records.c.record_id.desc())
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        return {}
    said = _instance((codec.decode(row.doc).get("answers") or {}).get(repeat), row.place)
    return {
        "name": _word(said, "person_name"),
        "id_number": _word(said, "id_number"),
        "phone": _word(said, "phone"),
        "village_code": row.village_code,
        "household_id": row.household_id or "",
        "work_date": row.work_date or "",
        "record_id": row.record_id,
    }
