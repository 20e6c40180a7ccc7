"""Publishing: the folder of definitions becomes catalogue documents, all of them or none.

A published version never changes, because records were filled with it: whoever changes a form gives it a new
version. `source_digest` tells a changed form from one that merely compiles otherwise after an upgrade.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas import FormErrors, compile_form, load_form
from server.forms import counting
from server.register.upsert import standing, upsert
from sync.store import Store

CATALOGUE = "catalogue"
NOT_FORMS = {"envelope.json", "settings.json", "indicators.json", "cross_rules.json", "exceptions.json"}
SETTINGS_ID = "settings:district"

Document = dict[str, Any]


class PublishRefused(Exception):
    """Nothing was published; `complaints` holds every reason, each with its file, place and remedy."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


@dataclass(slots=True)
class Published:
    """{document id: "added" | "changed" | "unchanged"}"""

    outcomes: dict[str, str] = field(default_factory=dict)


def publish(store: Store, folder: Path) -> Published:
    """Check, compile and write every form of `folder` and the district's settings. Raises PublishRefused."""
    complaints: list[str] = []
    envelope = _read(folder / "envelope.json", complaints)
    settings = _settings(_read(folder / "settings.json", complaints), complaints)
    sources = {path.name: _read(path, complaints) for path in _form_files(folder)}
    documents = [_compiled(name, source, envelope, settings, complaints) for name, source in sources.items()]
    forms = [document for document in documents if document]
    complaints += _twice(forms) + _changed(store, forms)
    if not sources:
        complaints.append(f"{folder}: there is no form in this folder.")
    elif len(forms) == len(sources):
        complaints += counting.complaints(folder, forms)
    if complaints:
        raise PublishRefused(complaints)
    return Published(upsert(store, CATALOGUE, [*forms, settings]))


def _form_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.json")) if path.name not in NOT_FORMS]


def _read(path: Path, complaints: list[str]) -> Document:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        complaints.append(f"{path.name}: there is no such file in {path.parent}.")
    except (ValueError, RecursionError) as error:
        complaints.append(f"{path.name}: not valid JSON ({error}).")
    else:
        if isinstance(content, dict):
            return content
        complaints.append(f"{path.name}: the file should hold one JSON object.")
    return {}


def _settings(source: Document, complaints: list[str]) -> Document:
    """The settings document: the values as they are; what explains them stays in the file."""
    district = source.get("district")
    if source and not (isinstance(district, dict) and all(district.get(key) for key in ("code", "zh", "en"))):
        complaints.append('settings.json: "district" needs "code", "zh" and "en".')
    values = {name: value for name, value in source.items() if name != "about"}
    return {"_id": SETTINGS_ID, "type": "settings", **values}


def _compiled(
    name: str, source: Document, envelope: Document, settings: Document, complaints: list[str]
) -> Document | None:
    if not source:
        return None
    try:
        content = compile_form(load_form(source, envelope, settings))
    except FormErrors as errors:
        complaints += [f"{name}, {error.place}: {error.message}. {error.remedy}" for error in errors.errors]
        return None
    document_id = f"form:{content['form_id']}:{content['version']}"
    digest = _digest({"form": source, "envelope": envelope})
    # Through JSON, so that it compares equal to what comes back from the store.
    return {"_id": document_id, "type": "form", "source_digest": digest, **json.loads(json.dumps(content))}


def _digest(source: Document) -> str:
    canonical = json.dumps(source, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256-{hashlib.sha256(canonical.encode()).hexdigest()}"


def _twice(forms: list[Document]) -> list[str]:
    ids = [form["_id"] for form in forms]
    twice = sorted({doc_id for doc_id in ids if ids.count(doc_id) > 1})
    return [f"{doc_id} is defined by two files; give one of them another form_id." for doc_id in twice]


def _changed(store: Store, forms: list[Document]) -> list[str]:
    found = standing(store, CATALOGUE, [form["_id"] for form in forms])
    return [
        f"{form['form_id']}: version {form['version']} is published and differs from the file. "
        f'Records were filled with it, so raise "version" in the form\'s settings.'
        for form in forms
        if form["_id"] in found and form["source_digest"] != found[form["_id"]].get("source_digest")
    ]
