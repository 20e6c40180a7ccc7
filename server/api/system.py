"""How the server is, for administrators and for programs that watch it."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from server import clock, health
from server.api import shapes
from server.api.access import allowed
from server.api.blueprint import Blueprint
from server.api.freshness import untagged
from server.app import gridbook

blp = Blueprint("system", __name__, url_prefix="/api/v1", description="How the server is")

ACTION = "system.read"


def measured() -> dict[str, Any]:
    parts = health.measure(gridbook())
    return {"level": health.worst(parts), "at": clock.stamp(clock.now()), "parts": parts}


@blp.route("/system")
class System(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.SystemHealth)
    @untagged("It is measured at the moment of asking: no two answers are the same.")
    def get(self) -> dict[str, Any]:
        """Intake, what waits, rebuild, quarantine by rule, disk, backup, sizes and versions; each with its
        level."""
        return measured()
