"""Every page of the staff, on one blueprint."""

from __future__ import annotations

from flask import Blueprint

from server.web import frame

blueprint = Blueprint("web", __name__, template_folder="templates")
frame.surround(blueprint)

from server.web import (  # noqa: E402, F401  the modules hang their views on the blueprint
    api_guide,
    behind,
    bulletins,
    devices,
    disinfection,
    duplicates,
    exceptions,
    exports,
    forms,
    jobs,
    list_import,
    lists,
    live,
    overview,
    people,
    records,
    relief,
    sheets,
    sign_in,
    stock,
    system,
    todo,
    units,
    villages,
    webhooks,
)

__all__ = ["blueprint"]
