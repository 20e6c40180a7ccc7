"""Every page of the staff, on one blueprint."""

from __future__ import annotations

from flask import Blueprint

from server.web import frame

blueprint = Blueprint("web", __name__, template_folder="templates")
frame.surround(blueprint)

from server.web import (  # noqa: E402  the modules hang their views on the blueprint
    api_guide,
    bulletins,
    devices,
    duplicates,
    exceptions,
    exports,
    forms,
    lists,
    live,
    overview,
    people,
    records,
    sheets,
    sign_in,
    system,
    todo,
    units,
)

__all__ = [
    "api_guide", "blueprint", "bulletins", "devices", "duplicates", "exceptions", "exports", "forms", "lists",
    "live", "overview", "people", "records", "sheets", "sign_in", "system", "todo", "units",
]  # fmt: skip
