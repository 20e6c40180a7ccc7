"""Who is who among those whom records mention: a person by identity number, else by the register, else by
household, name and year of birth; a filler's day by filler and day.

Numbers and names are kept only as HMACs under the district's own key: two records of one person meet, and
nobody who reads the tables learns the number.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from typing import Any

from schemas.expressions.identity import normalize_resident_id
from server.readmodel import codec

Frame = Mapping[str, Any]
DIGEST_CHARACTERS = 32  # 128 bits
IN_HOUSEHOLD = "#"  # between the key of a household and the digest of a person who is known only within it


class Identities:
    def __init__(self, person_key: bytes) -> None:
        self._key = person_key

    def of(self, identity: str, frame: Frame, unit_key: str) -> str | None:
        """The key of whom an instance mentions, None when it does not say; `unit_key` is the record's
        household."""
        return self._person(frame, unit_key) if identity == "person" else _filler_day(frame)

    def _person(self, frame: Frame, unit_key: str) -> str | None:
        number = normalize_resident_id(_text(frame, "id_number"))
        if number:
            return "id:" + self._digest("id", number)
        if person_id := _text(frame, "person_id"):
            return "person:" + self._digest("person", person_id)
        name = _normalized(_text(frame, "person_name"))
        return f"{unit_key}{IN_HOUSEHOLD}{self._digest('name', name, _birth_year(frame))}" if name else None

    def _digest(self, *words: str) -> str:
        text = "\0".join(words).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]


def moved(person_key: str, household: str, to: str) -> str:
    """The key of a person who is known only within a household, when that household gets another key."""
    rest = person_key.removeprefix(household + IN_HOUSEHOLD)
    return person_key if rest == person_key else f"{to}{IN_HOUSEHOLD}{rest}"


def _filler_day(frame: Frame) -> str | None:
    filler_id, day = _text(frame, "filler_id"), _text(frame, "work_date")
    return f"{codec.key(filler_id)}/{day}" if filler_id and day else None


def _birth_year(frame: Frame) -> str:
    born, day, age = _text(frame, "id_birth_date"), _text(frame, "work_date"), frame.get("age")
    if born:
        return born[:4]
    known = isinstance(age, int | float) and not isinstance(age, bool) and day[:4].isdigit()
    return str(int(day[:4]) - int(age)) if known and abs(age) < 1000 else ""  # type: ignore[arg-type]


def _normalized(name: str) -> str:
    """Width, case, spaces and the dots inside names do not tell persons apart."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in text if not letter.isspace() and letter not in "·・.")


def _text(frame: Frame, name: str) -> str:
    value = frame.get(name)
    return value if isinstance(value, str) else ""
