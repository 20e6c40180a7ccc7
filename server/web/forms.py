"""The forms, to read: every question with its choices, conditions and rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template

from server.api.catalogue import forms as published
from server.api.catalogue import settings_in_labels
from server.api.forms import source_file
from server.people.web import require_staff
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.record_layout import label_of, plain

CHOICES_SHOWN = 12


@blueprint.get("/forms", endpoint="forms")
@require_staff("figures.read")
def forms_page() -> str:
    found = [
        {
            "id": form_id,
            "title": pick(versions[-1]["title"]),
            "versions": "、".join(str(each["version"]) for each in versions),
            "questions": _count(versions[-1]["survey"]),
        }
        for form_id, versions in published().versions.items()
    ]
    return render_template("forms.html", forms=found)


def _count(rows: list[dict[str, Any]]) -> int:
    total = 0
    for row in rows:
        total += (
            _count(row["children"])
            if "children" in row
            else row["type"] not in ("note", "calculate", "hidden")
        )
    return total


@blueprint.get("/forms/<form_id>")
@require_staff("figures.read")
def form(form_id: str) -> str:
    compiled = published().latest(form_id)
    written = {row["name"]: row for row in _flat((source_file(compiled) or {}).get("survey", []))}
    return render_template(
        "form.html",
        form_id=form_id,
        title=pick(compiled["title"]),
        version=compiled["version"],
        parts=[part for part in _parts(compiled["survey"], compiled, written) if part["rows"]],
    )


def _flat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for row in rows for each in (row, *_flat(row.get("children", [])))]


def _parts(
    rows: list[dict[str, Any]], compiled: Mapping[str, Any], written: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A part for each group or repeat that asks something itself."""
    own: dict[str, Any] = {"title": t("forms.outside_groups"), "rows": [], "relevant": "", "repeat": False}
    parts: list[dict[str, Any]] = [own]
    for row in rows:
        if row["type"] in ("begin_group", "begin_repeat"):
            inner = _parts(row.get("children", []), compiled, written)
            inner[0] |= {
                "title": label_of(row, pick, settings_in_labels(compiled)),
                "relevant": written.get(row["name"], {}).get("relevant", ""),
                "repeat": row["type"] == "begin_repeat",
            }
            parts += inner
        elif row["type"] not in ("note", "calculate", "hidden"):
            own["rows"].append(_question(row, compiled, written.get(row["name"], {})))
    return parts


def _question(
    row: Mapping[str, Any], compiled: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Any]:
    choices = [pick(choice["label"]) for choice in compiled.get("choices", {}).get(row.get("list"), ())]
    more = "…" if len(choices) > CHOICES_SHOWN else ""
    return {
        "name": row["name"],
        "label": label_of(row, pick, settings_in_labels(compiled)),
        "kind": t(f"kind.{row['type']}"),
        "required": bool(row.get("required")),
        "pii": row.get("pii", "P0"),
        "relevant": written.get("relevant", ""),
        "choices": "、".join(choices[:CHOICES_SHOWN]) + more,
        "rules": [
            {
                "id": rule["id"],
                "severity": rule["severity"],
                "words": pick({lang: plain(text) for lang, text in rule["message"].items()}),
            }
            for rule in row.get("constraint", ())
        ],
    }
