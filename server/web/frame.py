"""What every page has around it: words, who is signed in, the menu, addresses that keep their filters."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import CSRF_FIELD, AuthRequired, csrf_token, current_staff
from server.readmodel import queries
from server.readmodel.counted import is_counted
from server.web import language

# (endpoint, words, action, part that begins here)
MENU = (
    ("overview", "menu.overview", "figures.read", ""),
    ("bulletins", "menu.bulletins", "figures.read", ""),
    ("villages", "menu.villages", "figures.read", ""),
    ("records", "menu.records", "records.read", "menu.part_records"),
    ("quarantine", "menu.quarantine", "records.read", ""),
    ("duplicates", "menu.duplicates", "records.read", ""),
    ("exceptions", "menu.exceptions", "records.read", "menu.part_todo"),
    ("not_reached", "menu.not_reached", "register.read", ""),
    ("roster", "menu.roster", "register.read", ""),
    ("points", "menu.points", "register.read", ""),
    ("stock", "menu.stock", "register.read", ""),
    ("lists", "menu.lists", "lists.reconcile", ""),
    ("devices", "menu.devices", "devices.manage", "menu.part_settings"),
    ("people", "menu.people", "staff.manage", ""),
    ("system", "menu.system", "system.read", ""),
    ("forms", "menu.forms", "figures.read", ""),
    ("sheets", "menu.sheets", "export.masked", ""),
    ("exports", "menu.exports", "export.masked", ""),
    ("webhooks", "menu.webhooks", "webhooks.manage", ""),
)
# Shown only where such things are counted.
COUNTED = {"not_reached": "households", "roster": "relief", "points": "disinfection", "stock": "stock"}
OF_DISTRICT = ("bulletins",)  # about the whole district, for those whose area it is
BELOW = {
    "record": "records",
    "record_unmasked": "records",
    "review": "records",
    "duplicate": "duplicates",
    "duplicate_decision": "duplicates",
    "unit": "records",
    "unit_unmasked": "records",
    "form": "forms",
    "order_export": "exports",
    "cancel_export": "exports",
    "make_codes": "devices",
    "device": "devices",
    "assign_device": "devices",
    "add_person": "people",
    "password_code": "people",
    "bulletin": "bulletins",
    "one_list": "lists",
    "list_row": "lists",
    "list_row_unmasked": "lists",
    "list_import": "lists",
    "list_preview": "lists",
    "job": "lists",
    "exception": "exceptions",
    "disinfections": "points",
    "figure": "overview",
    "webhook": "webhooks",
    "make_webhook": "webhooks",
    "renew_webhook": "webhooks",
}


def surround(blueprint: Blueprint) -> None:
    blueprint.app_context_processor(around)
    blueprint.after_request(never_stored)


def never_stored(response: Response) -> Response:
    """Pages hold figures and masked people: no cache keeps them, so that Back after signing out shows
    nothing."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def around() -> dict[str, Any]:
    member = signed_in()
    return {
        "t": language.translate,
        "language": language.current(),
        "member": member,
        "district_name": district_name(),
        "menu": lambda: menu(member),
        "here": here,
        "csrf": csrf_field,
    }


def signed_in() -> Staff | None:
    try:
        return current_staff()
    except AuthRequired:
        return None


def district_name() -> str:
    district = queries.district(gridbook().readmodel)
    return str(district["name"]) if district else ""


def is_shown(page: str) -> bool:
    """Whether the district counts what the page shows."""
    return page not in COUNTED or is_counted(gridbook().declaration, COUNTED[page])


def menu(member: Staff | None) -> list[dict[str, Any]]:
    endpoint = (request.endpoint or "").removeprefix("web.")
    here_now = BELOW.get(endpoint, endpoint)
    return [
        {
            "href": url_for(f"web.{name}"),
            "words": language.translate(words),
            "here": name == here_now,
            "part": language.translate(part) if part else "",
        }
        for name, words, action, part in MENU
        if may(member, action, member.area[:6] if member and name in OF_DISTRICT else None) and is_shown(name)
    ]


def here(**changes: Any) -> str:
    """This address with some parameters changed (None takes one away); paging begins anew unless it is
    what changed."""
    parameters: dict[str, Any] = {
        name: value for name, value in request.args.items() if value and name != "cursor"
    }
    parameters |= changes
    kept = {name: value for name, value in parameters.items() if value is not None}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def csrf_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf_token())
