"""Judges records with the real language, the real settings and a small register."""

from functools import cache
from pathlib import Path
from typing import Any

from schemas import CompiledForm, Context, Report, check_record, compile_form, load_form
from tests.forms.definitions import FORM_IDS, FORMS, HERE, definition, read

REGISTER: dict[str, Any] = read(HERE / "register.json")
SETTINGS: dict[str, Any] = read(FORMS / "settings.json")


def register_entry(name: str, key_column: str, key: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = REGISTER["lists"].get(name, {}).get(key)
    return found


@cache
def compiled(form_id: str) -> CompiledForm:
    return CompiledForm.from_dict(
        compile_form(load_form(definition(form_id), definition("envelope"), SETTINGS))
    )


def judge(record: dict[str, Any], settings: dict[str, Any] | None = None) -> Report:
    context = Context(
        today=REGISTER["today"],
        now=REGISTER["now"],
        settings={**SETTINGS, **(settings or {})},
        lists=register_entry,
    )
    return check_record(compiled(record["form_id"]), record, context)


def samples(kind: str) -> list[Path]:
    return [
        path for form_id in FORM_IDS for path in sorted((FORMS / "samples" / form_id / kind).glob("*.json"))
    ]
