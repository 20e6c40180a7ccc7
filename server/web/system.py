"""System health: each part of the server with how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import render_template

from server.api import system as api
from server.api.beijing import local
from server.people.web import require_staff
from server.web.language import translate as t
from server.web.pages import blueprint

ORDER = ("bad", "warn", "good")
MOODS = {"good": "good", "warn": "warn", "bad": "bad"}
UNITS = ("B", "KB", "MB", "GB", "TB")

Part = Mapping[str, Any]


@blueprint.get("/system", endpoint="system")
@require_staff(api.ACTION)
def system_page() -> str:
    found = api.measured()
    rows = [_row(name, part) for name, part in found["parts"].items()]
    return render_template(
        "system.html",
        rows=sorted(rows, key=lambda row: ORDER.index(row["level"])),
        level=found["level"],
        mood=MOODS[found["level"]],
        summary=t("system.all_good" if found["level"] == "good" else f"system.some_{found['level']}"),
        at=local(found["at"]),
        by_rule=found["parts"]["quarantine"].get("by_rule", {}),
    )


def _row(name: str, part: Part) -> dict[str, str]:
    level = str(part["level"])
    words = t("system.cannot", error=part["error"]) if "error" in part else SAID[name](part)
    return {
        "part": t(f"system.part_{name}"),
        "level": level,
        "level_words": t(f"system.level_{level}"),
        "mood": MOODS[level],
        "words": words,
        "todo": "" if level == "good" else t(f"system.do_{name}_{level}"),
    }


def size(count: float | None) -> str:
    """Bytes as people read them."""
    if count is None:
        return "—"
    unit = 0
    while count >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if count >= 100 or not unit else f"{count:.1f} {UNITS[unit]}"


def _follower(part: Part) -> str:
    beat = part["last_beat_at"]
    return t("system.beat", at=local(beat)) if beat else t("system.never_ran")


def _waiting(part: Part) -> str:
    if not part["records"]:
        return t("system.none_waiting")
    return t("system.waiting", n=part["records"], s=part["oldest_age_s"])


def _rebuild(part: Part) -> str:
    progress = part["progress"]
    if part.get("failed"):
        return t("system.rebuild_failed", why=part["failed"])
    if not progress:
        return t("system.rebuild_asked" if part["asked_for"] else "system.no_rebuild")
    percent = round(100 * progress["handled"] / max(1, progress["of"]))
    return t("system.rebuilding", **progress, percent=percent)


def _backup(part: Part) -> str:
    if part["elsewhere"]:
        return t("system.backup_elsewhere")
    return t("system.last_backup", at=local(part["last_at"])) if part["last_at"] else t("system.no_backup")


def _store(part: Part) -> str:
    return t("system.store", kind=part["kind"], n=part["databases"], size=size(part["bytes"]))


SAID: Mapping[str, Callable[[Part], str]] = {
    "follower": _follower,
    "waiting": _waiting,
    "rebuild": _rebuild,
    "quarantine": lambda part: t("system.records", n=part["records"]),
    "disk": lambda part: t("system.disk", free=size(part["free_bytes"]), total=size(part["total_bytes"])),
    "backup": _backup,
    "store": _store,
    "readmodel": lambda part: t(
        "system.readmodel", kind=part["kind"], size=size(part["bytes"]), version=part["version"]
    ),
    "server": lambda part: t("system.server", **{name: part[name] for name in part if name != "level"}),
}
