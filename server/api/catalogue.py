"""The published forms as the catalogue database holds them, kept in memory until the catalogue moves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from server.api.problems import Problem
from server.app import gridbook
from sync.store import BEGINNING, Doc, NotFound, Seq

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Forms:
    """Every published version of every form: `versions[form_id]` is oldest first."""

    seq: Seq
    versions: dict[str, list[Doc]]
    settings: Doc = field(default_factory=dict)

    def latest(self, form_id: str) -> Doc:
        """Raises Problem("unknown-form")."""
        return self.all_versions(form_id)[-1]

    def all_versions(self, form_id: str) -> list[Doc]:
        if form_id not in self.versions:
            raise Problem("unknown-form", form=form_id)
        return self.versions[form_id]

    def version(self, form_id: str, version: str) -> Doc | None:
        return next((doc for doc in self.versions.get(form_id, ()) if str(doc["version"]) == version), None)

    def fitting(self, form_id: str | None, version: str | None) -> Doc | None:
        """The form a record was filled with; else its latest version, so that a stray record still shows
        with labels."""
        known = self.versions.get(str(form_id), [])
        return self.version(str(form_id), str(version)) or (known[-1] if known else None)


def forms() -> Forms:
    """The forms now; one small query when nothing moved."""
    cached: Forms | None = current_app.extensions.get("gridbook_forms")
    try:
        catalogue = gridbook().store.open("catalogue")
    except NotFound:
        return Forms(BEGINNING, {})
    if cached is None or catalogue.changes(since=cached.seq, limit=1).rows:
        seq = catalogue.seq()
        settings = next(catalogue.documents("settings:district"), {})
        cached = Forms(seq, _by_form(catalogue.documents("form:")), settings)
        current_app.extensions["gridbook_forms"] = cached
    return cached


def _by_form(documents: Iterator[Doc]) -> dict[str, list[Doc]]:
    found: dict[str, list[Doc]] = {}
    for doc in documents:
        _, form_id, version = doc["_id"].split(":", 2)
        found.setdefault(form_id, []).append({**doc, "form_id": form_id, "version": version})
    for versions in found.values():
        versions.sort(key=lambda doc: _in_order(str(doc["version"])))
    return found


def _in_order(version: str) -> list[tuple[int, str]]:
    """1.9 comes before 1.10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"[.\-]", version)]


def settings_in_labels(compiled: Row) -> dict[str, Any]:
    """The district's settings that the form's labels insert: {name of the calculate that fetches one:
    value}."""
    settings = forms().settings
    return {
        str(row["name"]): settings[row["calculation"][1]]
        for row in compiled.get("survey", ())
        if row["type"] == "calculate"
        and row["calculation"][0] == "setting"
        and row["calculation"][1] in settings
    }


def survey(compiled: Row) -> list[Row]:
    """The rows of the form, as its file nests them, without the envelope's."""
    return list(compiled.get("survey", ()))


def questions(rows: list[Row]) -> Iterator[Row]:
    """Questions outside repeats, groups opened up, notes left out; a repeat comes as itself."""
    for row in rows:
        if row["type"] == "begin_group":
            yield from questions(row.get("children", []))
        elif row["type"] != "note":
            yield row


def repeats(compiled: Row) -> list[Row]:
    return [row for row in questions(survey(compiled)) if row["type"] == "begin_repeat"]
