"""A household, point, roster entry or store: what the register says of it, and what was found day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import render_template, request, url_for

from server.api import registers as api
from server.api import shapes
from server.api.access import staff_for
from server.api.beijing import local
from server.api.records import masked_item
from server.api.unmasking import unmasked
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.readmodel.states import RESULT_OF
from server.web.asking import area_choices, asked
from server.web.choices import choice_label, items_in_words
from server.web.frame import is_shown
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.records import seen

PAGE = 50
# The page that lists such units.
LISTS = {"household": "not_reached", "point": "points", "roster_entry": "roster", "station": "stock"}
ADDRESS = "/<any(households, points, roster, stations):name>/<path:unit_id>"


@blueprint.get(ADDRESS)
@require_staff("register.read")
def unit(name: str, unit_id: str) -> str:
    member, found = _asked_for(name, unit_id)
    return _show(member, name, api.masked_unit(found), masked=True)


@blueprint.post(f"{ADDRESS}/in-full")
@require_staff("export.unmasked")
@require_csrf
def unit_unmasked(name: str, unit_id: str) -> str:
    """A POST, so that no address and no history entry leads back to the full names."""
    member, found = _asked_for(name, unit_id)
    unmasked(member, {"unmask": True, "reason": request.form.get("reason")}, api.whole_name(found))
    return _show(member, name, found, masked=False, reason=request.form.get("reason", ""))


def _asked_for(name: str, unit_id: str) -> tuple[Staff, dict[str, Any]]:
    staff_for("register.read")
    member = staff_for("records.read")
    return member, api.one_unit(asked(shapes.UnitHistoryQuery), name, unit_id)


def _show(member: Staff, name: str, found: dict[str, Any], *, masked: bool, reason: str = "") -> str:
    """In full each page is asked for anew, with the same reason, and each is put on record."""
    kind, entry = found["kind"], found.get("entry")
    records = api.history(member, found, request.args.get("cursor"), PAGE)
    villages = {area["code"]: area["name"] for area in area_choices(member)["villages"]}
    told = {"village": villages.get(found["village_code"], found["village_code"]), **(entry or {})}
    about: dict[str, Any] = {"village": request.args.get("village")}
    return render_template(
        "unit.html",
        heading=" ".join(
            filter(None, (t(f"field.{kind}"), found["id"], told.get("name") or told.get("head_name")))
        ),
        kind=kind,
        from_list=LISTS[kind] if is_shown(LISTS[kind]) else "",
        listed=entry is not None,
        entry=_told(ENTRY, told, kind),
        state=_told(STATE, found["state"], kind),
        rows=[_row(masked_item(item), kind) for item in records.items],
        with_result=kind in RESULT_OF or kind == STORE,
        next_cursor=records.next_cursor,
        first=not request.args.get("cursor"),
        masked=masked,
        has_secrets=kind in api.PERSONAL and entry is not None,
        may_unmask=may(member, "export.unmasked"),
        in_full=url_for("web.unit_unmasked", name=name, unit_id=found["id"], **about),
        in_full_next=url_for(
            "web.unit_unmasked", name=name, unit_id=found["id"], cursor=records.next_cursor, **about
        ),
        reason=reason,
        all_records=url_for("web.records", **about, **{kind: found["id"]}) if kind != STORE else "",
    )


def _row(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {**seen(item), "result": _result(item["answers"], kind) or "—"}


def _result(answers: Mapping[str, Any], kind: str) -> str:
    if kind == STORE:
        return _movement(answers)
    answer = RESULT_OF.get(kind)
    return choice_label(answer, answers.get(answer)) if answer else ""


def _movement(answers: Mapping[str, Any]) -> str:
    """Issued to a team: Masks 60 piece."""
    words = [choice_label(name, answers.get(answer)) for name, answer in MOVED]
    qty = answers.get("counted_qty", answers.get("qty"))
    return " ".join(filter(None, (*words[:2], "" if qty is None else str(qty), words[2])))


STORE = "station"
MOVED = (("stock_move", "move_type"), ("item", "item_code"), ("unit", "unit"))


def _plain(value: Any, kind: str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _balances(lines: list[dict[str, Any]]) -> str:
    """Masks 421 piece, Flour 12.5 kg."""
    parts = [(line["name"].partition(" "), line["qty"]) for line in lines]
    return "、".join(
        f"{choice_label('item', part[0])} {qty:g} {choice_label('unit', part[2])}" for part, qty in parts
    )


def _choice(list_name: str) -> Callable[[Any, str], str]:
    return lambda value, kind: choice_label(list_name, value)


def _choices(list_name: str) -> Callable[[Any, str], str]:
    return lambda value, kind: "、".join(choice_label(list_name, each) for each in value)


# What is told of an entry and of its state, in this order: name: (key of the words, how the value reads).
Told = Mapping[str, tuple[str, Callable[[Any, str], str]]]
ENTRY: Told = {
    "head_name": ("field.head", _plain),
    "name": ("field.name", _plain),
    "household_id": ("field.household", _plain),
    "address": ("field.address", _plain),
    "door_no": ("unit.door_no", _plain),
    "phone": ("unit.phone", _plain),
    "village": ("field.village", _plain),
    "grid_code": ("unit.grid", _plain),
    "residents": ("unit.residents", _plain),
    "special_groups": ("unit.special_groups", _choices("special_group")),
    "category": ("field.category", _choice("special_group")),
    "entitlement": ("field.entitled", lambda value, kind: items_in_words(value)),
    "place_type": ("field.place_type", _choice("place_type")),
    "indoor_outdoor": ("unit.indoor_outdoor", _choice("in_out")),
    "area_m2": ("unit.area_m2", _plain),
    "interval_h": ("field.interval", lambda value, kind: t("points.hours", n=value)),
    "active_from": ("unit.active_from", _plain),
    "active_to": ("unit.active_to", _plain),
}
STATE: Told = {
    "visits": ("unit.visits", _plain),
    "disinfections": ("unit.disinfections", _plain),
    "deliveries": ("unit.deliveries", _plain),
    "records": ("unit.movements", _plain),
    "last_work_date": ("unit.last_moved", _plain),
    "balances": ("field.balance", lambda value, kind: _balances(value)),
    "state": ("field.state", lambda value, kind: t(f"roster.{value}")),
    "delivered": ("field.delivered", lambda value, kind: items_in_words(value)),
    "first_visit_date": ("field.first_attempt", _plain),
    "last_visit_date": ("field.last_visit", _plain),
    "last_result": ("field.last_result", lambda value, kind: choice_label(RESULT_OF[kind], value)),
    "last_contacted_date": ("unit.last_contacted", _plain),
    "resident_count": ("unit.residents_found", _plain),
    "next_visit_at": ("unit.next_visit", lambda value, kind: local(str(value))),
    "last_ended_at": ("field.last_done", lambda value, kind: local(value)),
    "next_due": ("unit.next_due", lambda value, kind: local(value)),
}


def _told(table: Told, values: Mapping[str, Any], kind: str) -> list[dict[str, str]]:
    return [
        {"label": t(words), "text": read(values[name], kind)}
        for name, (words, read) in table.items()
        if values.get(name) not in (None, "", [])
    ]
