"""The forms: what a record's questions, choices and rules are."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, jsonify
from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed
from server.api.blueprint import Blueprint
from server.api.catalogue import forms
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from sync.store import Doc

blp = Blueprint("forms", __name__, url_prefix="/api/v1", description="Form definitions")


@blp.route("/forms")
class Forms(MethodView):
    @allowed("figures.read")
    @blp.response(200, shapes.FormList)
    @tagged("catalogue")
    def get(self) -> dict[str, Any]:
        """Every published form with its versions."""
        return {"items": [summary(versions) for versions in forms().versions.values()]}


def summary(versions: list[Doc]) -> dict[str, Any]:
    latest = versions[-1]
    return {
        "form_id": latest["form_id"],
        "title": latest["title"],
        "version": latest["version"],
        "versions": [each["version"] for each in versions],
    }


@blp.route("/forms/<string:form_id>")
class Form(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.FormQuery, location="query")
    @blp.response(200, shapes.FormDefinition)
    @tagged("catalogue", "form files")
    def get(self, query: dict[str, Any], form_id: str) -> Response:
        """One form: compiled as phones get it, or the source its author wrote."""
        compiled = chosen(form_id, query.get("version"))
        return jsonify(source(compiled) if query["view"] == "source" else without_revision(compiled))


def chosen(form_id: str, version: str | None) -> Doc:
    if version is None:
        return forms().latest(form_id)
    forms().all_versions(form_id)
    found = forms().version(form_id, version)
    if found is None:
        raise Problem("unknown-form", form=f"{form_id} ({version})")
    return found


def without_revision(compiled: Doc) -> Doc:
    return {key: value for key, value in compiled.items() if not key.startswith("_")}


def source(compiled: Doc) -> Doc:
    """The form's file, when the server has it in this version; else Problem("unknown-form")."""
    written = source_file(compiled)
    if written is None:
        raise Problem("unknown-form", form=f"{compiled['form_id']} ({compiled['version']})")
    return written


def source_file(compiled: Doc) -> Doc | None:
    path = gridbook().settings.forms / f"{compiled['form_id']}.json"
    if not path.is_file():
        return None
    written: Doc = orjson.loads(path.read_bytes())
    same = str(written.get("settings", {}).get("version")) == str(compiled["version"])
    return written if same else None
