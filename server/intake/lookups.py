"""What a record is judged against: forms, settings, registers, areas. Read through the read model, remembered
until one changes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from schemas import CompiledForm
from server.intake.attachments import Question, file_questions
from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.model import read_meta
from server.readmodel.register_rows import KINDS
from server.readmodel.tables import areas, forms, register

log = logging.getLogger(__name__)

LISTS = {
    "households": "household",
    "points": "point",
    "roster": "roster_entry",
    "campaigns": "campaign",
    "fillers": "filler",
    "stations": "station",
}
# Looked for in other villages too: a roster entry may be served by a neighbouring village's team.
DISTRICT_WIDE = ("roster_entry", "campaign")
ID_FIELDS = {("roster_entry" if kind == "roster" else kind): field for kind, field in KINDS.items()}
DEFAULT_SETTINGS = Path(__file__).parent.parent.parent / "forms" / "settings.json"
REMEMBERED_MAX = 200_000

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownForm:
    compiled: CompiledForm
    files: list[Question]


class Lookups:
    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], Entry | None] = {}
        self._forms: dict[tuple[str, str], KnownForm | None] = {}
        self._settings: dict[str, Any] | None = None
        self._villages: dict[str, tuple[str, str] | None] = {}
        self._tree: AreaTree | None = None

    def forget(self) -> None:
        """Everything: some of it changed."""
        self.__init__()  # type: ignore[misc]

    def tree(self, connection: Connection) -> AreaTree:
        if self._tree is None:
            self._tree = AreaTree(connection)
        return self._tree

    def settings(self, connection: Connection) -> dict[str, Any]:
        """The district's settings over the defaults."""
        if self._settings is None:
            stored = read_meta(connection, "settings")
            given = codec.decode(stored) if stored else {}
            self._settings = {**default_settings(), **given}
        return self._settings

    def form(self, connection: Connection, form_id: str, version: str) -> KnownForm | None:
        key = (form_id, version)
        if key not in self._forms:
            stored = connection.execute(
                select(forms.c.compiled).where(forms.c.form_id == form_id, forms.c.version == version)
            ).scalar()
            self._forms[key] = _compiled(codec.decode(stored)) if stored else None
        return self._forms[key]

    def village_active(self, connection: Connection, village_code: str, day: str) -> bool:
        if village_code not in self._villages:
            row = connection.execute(
                select(areas.c.active_from, areas.c.active_to).where(
                    areas.c.code == village_code, areas.c.level == "village"
                )
            ).first()
            self._villages[village_code] = (row.active_from, row.active_to) if row else None
        span = self._villages[village_code]
        return span is not None and span[0] <= day <= span[1]

    def entry(self, connection: Connection, kind: str, village_code: str, unit_id: str) -> Entry | None:
        """A register's document, without the summary: a verdict must not depend on what arrived before."""
        key = (kind, village_code, codec.key(unit_id))
        if key not in self._entries:
            if len(self._entries) > REMEMBERED_MAX:
                self._entries.clear()
            self._entries[key] = _read_entry(connection, *key)
        return self._entries[key]

    def from_list(
        self, connection: Connection, village_code: str, list_name: str, key_column: str, key: str
    ) -> Entry | None:
        """The look-up that expressions make: only by the list's own id."""
        kind = LISTS.get(list_name)
        if kind is None or key_column != ID_FIELDS[kind]:
            return None
        return self.entry(connection, kind, village_code, key)


def _read_entry(connection: Connection, kind: str, village_code: str, unit_id: str) -> Entry | None:
    query = select(register.c.village_code, register.c.doc).where(
        register.c.kind == kind, register.c.unit_id == unit_id
    )
    if kind not in DISTRICT_WIDE:
        query = query.where(register.c.village_code == village_code)
    rows = connection.execute(query.order_by(register.c.village_code)).all()
    chosen = next((row for row in rows if row.village_code == village_code), rows[0] if rows else None)
    if chosen is None:
        return None
    return {name: value for name, value in codec.decode(chosen.doc).items() if name != "summary"}


def _compiled(source: Mapping[str, Any]) -> KnownForm | None:
    try:
        return KnownForm(CompiledForm.from_dict(dict(source)), file_questions(source))
    except Exception:
        log.exception(
            "the catalogue holds a form that cannot be read: %s %s", source.get("form_id"), source.get("_id")
        )
        return None


def default_settings() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(DEFAULT_SETTINGS.read_text("utf-8"))
    values.pop("about", None)
    return values
