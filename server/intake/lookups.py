"""What a record is judged against: forms, settings, registers, areas. Read through the read model, remembered
until one changes."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from schemas import CompiledForm
from server.intake.attachments import Question, file_questions
from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.declaration import SHIPPED
from server.readmodel.model import ReadModel, read_meta
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
SETTINGS_FILE = "settings.json"
REMEMBERED_MAX = 20_000
IDS_AT_ONCE = 500

Entry = dict[str, Any]
EntryKey = tuple[str, str, str]  # kind, village, id
Lister = Callable[[str, str, str], Entry | None]


@dataclass(frozen=True, slots=True)
class KnownForm:
    """`named` are the questions outside of repeats that are answered with an entry of a register: its kind,
    the question's name, and whether it is among the answers or beside them."""

    compiled: CompiledForm
    files: list[Question]
    named: list[tuple[str, str, bool]]


class Lookups:
    """What judging asks again and again; `defaults` is the folder with the settings' defaults."""

    def __init__(self, defaults: Path = SHIPPED) -> None:
        self._defaults = defaults
        self._entries: dict[EntryKey, Entry | None] = {}
        self._forms: dict[tuple[str, str], KnownForm | None] = {}
        self._settings: dict[str, Any] | None = None
        self._villages: dict[str, tuple[str, str] | None] = {}
        self._tree: AreaTree | None = None
        self.met: Counter[tuple[str, str]] = Counter()  # records judged ahead here, by form and version

    def forget(self) -> None:
        """Everything: some of it changed."""
        self.__init__(self._defaults)  # type: ignore[misc]

    def tree(self, connection: Connection) -> AreaTree:
        if self._tree is None:
            self._tree = AreaTree(connection)
        return self._tree

    def settings(self, connection: Connection) -> dict[str, Any]:
        """The district's settings over the defaults."""
        if self._settings is None:
            stored = read_meta(connection, "settings")
            given = codec.decode(stored) if stored else {}
            self._settings = {**default_settings(self._defaults), **given}
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
            self.prefetch(connection, [key])
        return self._entries[key]

    def prefetch(self, connection: Connection, keys: Iterable[EntryKey]) -> None:
        """Read what is not remembered, for a whole batch at once."""
        if len(self._entries) > REMEMBERED_MAX:
            self._entries.clear()
        absent: dict[str, set[EntryKey]] = {}
        for key in keys:
            if key not in self._entries:
                absent.setdefault(key[0], set()).add(key)
        for kind, wanted in absent.items():
            ids = sorted({unit_id for _, _, unit_id in wanted})
            for start in range(0, len(ids), IDS_AT_ONCE):
                self._read(connection, kind, wanted, set(ids[start : start + IDS_AT_ONCE]))

    def _read(self, connection: Connection, kind: str, wanted: set[EntryKey], ids: set[str]) -> None:
        query = select(register.c.unit_id, register.c.village_code, register.c.doc).where(
            register.c.kind == kind, register.c.unit_id.in_(sorted(ids))
        )
        docs: dict[str, dict[str, str]] = {}
        for unit_id, village, doc in connection.execute(query):
            docs.setdefault(unit_id, {})[village] = doc
        for key in wanted:
            if key[2] in ids:
                self._entries[key] = _chosen(key, docs.get(key[2], {}))

    def lister(self, connection: Connection, village_code: str) -> Lister:
        """The look-up that expressions make in a village: only by the list's own id."""

        def from_list(list_name: str, key_column: str, unit_id: str) -> Entry | None:
            kind = LISTS.get(list_name)
            if kind is None or key_column != ID_FIELDS[kind]:
                return None
            try:
                return self._entries[kind, village_code, unit_id]
            except KeyError:
                return self.entry(connection, kind, village_code, unit_id)

        return from_list


def _chosen(key: EntryKey, docs: Mapping[str, str]) -> Entry | None:
    """The village's own entry before another's; `docs` by village."""
    kind, village_code, _ = key
    doc = docs.get(village_code)
    if doc is None and kind in DISTRICT_WIDE and docs:
        doc = docs[min(docs)]
    if doc is None:
        return None
    return {name: value for name, value in codec.decode(doc).items() if name != "summary"}


def _compiled(source: Mapping[str, Any]) -> KnownForm | None:
    try:
        compiled = CompiledForm.from_dict(dict(source))
        return KnownForm(compiled, file_questions(source), list(_named(compiled)))
    except Exception:
        log.exception(
            "the catalogue holds a form that cannot be read: %s %s", source.get("form_id"), source.get("_id")
        )
        return None


def _named(compiled: CompiledForm) -> Iterator[tuple[str, str, bool]]:
    for questions, is_answer in ((compiled.flat_survey, True), (compiled.flat_envelope, False)):
        for question in questions:
            if question.kind == "register" and question.list_name in LISTS:
                yield LISTS[question.list_name], question.name, is_answer


def district_settings(readmodel: ReadModel, connection: Connection) -> dict[str, Any]:
    """The district's settings over the defaults of its definitions."""
    return Lookups(readmodel.forms).settings(connection)


@cache
def default_settings(folder: Path) -> Mapping[str, Any]:
    values: dict[str, Any] = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
    values.pop("about", None)
    return values
