"""How the server is, for administrators and for programs that watch it."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from server import clock, health
from server.api import shapes
from server.api.access import allowed, staff_for
from server.api.blueprint import Blueprint
from server.api.freshness import untagged
from server.api.problems import Problem
from server.app import gridbook
from server.intake import asked_rebuild
from server.people.web import require_csrf

blp = Blueprint("system", __name__, url_prefix="/api/v1", description="How the server is")

ACTION = "system.read"
REBUILD = "system.rebuild"
log = logging.getLogger(__name__)


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


@blp.route("/system/rebuild")
class Rebuild(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.Rebuild)
    @untagged("Its progress moves from one moment to the next.")
    def get(self) -> dict[str, Any]:
        """How far a rebuild of the read model is, or why the last one failed."""
        return rebuild_told()

    @allowed(REBUILD)
    @require_csrf
    @blp.response(202, shapes.Rebuild)
    @blp.alt_response(409, description="One was asked for already, or runs")
    def post(self) -> dict[str, Any]:
        """Have the read model made again from the documents; the figures stay readable meanwhile."""
        start_rebuild()
        return rebuild_told()

    @allowed(REBUILD)
    @require_csrf
    @blp.response(202, shapes.Rebuild)
    @blp.alt_response(409, description="None was asked for")
    def delete(self) -> dict[str, Any]:
        """Call it off; the figures stay as they are. Doing it twice changes nothing more."""
        call_off_rebuild()
        return rebuild_told()


def rebuild_told() -> dict[str, Any]:
    return asdict(asked_rebuild.told(gridbook().readmodel))


def start_rebuild() -> None:
    """Raises Problem."""
    member = staff_for(REBUILD)
    try:
        asked_rebuild.start(gridbook().readmodel)
    except asked_rebuild.UnderWay:
        raise Problem("rebuild-under-way") from None
    log.info("%s asked for a rebuild", member.username)


def call_off_rebuild() -> None:
    """Raises Problem."""
    member = staff_for(REBUILD)
    try:
        asked_rebuild.call_off(gridbook().readmodel)
    except asked_rebuild.NotAskedFor:
        raise Problem("rebuild-not-asked") from None
    log.info("%s called the rebuild off", member.username)
