"""Every page of the staff, on one blueprint."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("web", __name__, template_folder="templates")

from server.web import (  # noqa: E402  the modules hang their views on the blueprint
    devices,
    exports,
    forms,
    live,
    overview,
    records,
    sign_in,
    todo,
)

__all__ = ["blueprint", "devices", "exports", "forms", "live", "overview", "records", "sign_in", "todo"]
