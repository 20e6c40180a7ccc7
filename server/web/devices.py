"""Devices: who was heard from when, codes for new ones on a sheet to print, and the way to shut one out."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from server import clock
from server.api import phones
from server.api.access import own_area, staff_for
from server.api.beijing import local
from server.api.problems import Problem
from server.app import gridbook
from server.people import devices, enrolment
from server.people.devices import Device
from server.people.enrolment import Offer
from server.people.permissions import covers, may
from server.people.web import require_csrf, require_staff
from server.web.asking import area_choices, area_filters
from server.web.language import translate as t
from server.web.pages import blueprint

CODES_MAX = 40
PAGE = 50
STATES = ("heard", "silent", "fresh", "expired", "revoked")
SILENT_AFTER = timedelta(hours=24)


@blueprint.get("/devices", endpoint="devices")
@require_staff("devices.manage")
def devices_page() -> str:
    member = staff_for("devices.manage")
    choices = area_choices(member)
    names = {area["code"]: area["name"] for area in choices["villages"]}
    area, chosen = area_filters(member, request.args.get("village") or request.args.get("town"))
    makers = enrolment.enrolled_by(gridbook().people)
    every = [_device(device, names, makers) for device in phones.listed(member)]
    found = [device for device in every if _fits(device, area["code"])]
    found.sort(key=lambda device: (device["revoked"], device["codes"], device["label"], device["id"]))
    start = _start()
    return render_template(
        "devices.html",
        devices=found[start : start + PAGE],
        all=len(found),
        silent=sum(device["silent"] for device in found),
        next_cursor=str(start + PAGE) if len(found) > start + PAGE else None,
        first=not start,
        filters={**chosen, "state": request.args.get("state", ""), "text": request.args.get("text", "")},
        filtered=any(request.args.get(name) for name in ("town", "village", "state", "text")),
        states=STATES,
        may_enrol=may(member, "enrolment.create"),
        may_manage=may(member, "devices.manage"),
        enrol_hours=gridbook().settings.enrol_hours,
        **choices,
    )


def _start() -> int:
    """Where the page begins: the list may grow meanwhile, so that is all a cursor has to say."""
    given = request.args.get("cursor", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise Problem("bad-cursor")
    return int(given)


def _fits(device: dict[str, Any], area_code: str) -> bool:
    state, text = request.args.get("state", ""), request.args.get("text", "").strip().lower()
    return (
        any(covers(area_code, village) for village in device["codes"])
        and (not state or device["kind"] == state)
        and (not text or text in device["label"].lower() or device["id"].startswith(text))
    )


def _device(device: Device, names: dict[str, str], makers: dict[str, str]) -> dict[str, Any]:
    now = clock.now()
    heard = device.last_contact_at or device.enrolled_at
    silent = not device.revoked and heard < clock.stamp(now - SILENT_AFTER)
    state = _state(device, clock.stamp(now), silent)
    return {
        "id": device.device_id,
        "label": device.label or t("devices.unnamed"),
        "villages": "、".join(names.get(code, code) for code in device.villages),
        "codes": device.villages,
        "enrolled": local(device.enrolled_at),
        "last_contact": local(device.last_contact_at) or t("devices.never"),
        "enrolled_by": makers.get(device.device_id, "") or t("devices.by_command"),
        "kind": state,
        "state": t(f"devices.{state}"),
        "mood": {"heard": "good", "silent": "warn"}.get(state, ""),
        "silent": silent,
        "revoked": device.revoked,
    }


def _state(device: Device, now: str, silent: bool) -> str:
    if device.revoked:
        return "revoked"
    if device.expired(now):
        return "expired"
    if silent:
        return "silent"
    return "heard" if device.last_contact_at else "fresh"


@blueprint.get("/devices/<device_id>", endpoint="device")
@require_staff("devices.manage")
def device_page(device_id: str) -> str:
    member = staff_for("devices.manage")
    device, choices = phones.one(member, device_id), area_choices(member)
    names = {area["code"]: area["name"] for area in choices["villages"]}
    people = gridbook().people
    former = [devices.by_id(people, each) for each in devices.former_ids(people, device_id)]
    return render_template(
        "device.html",
        device=_device(device, names, enrolment.enrolled_by(people)),
        fillers="、".join(device.filler_ids),
        expires=local(device.expires_at),
        former=[each.device_id for each in former if each and phones.theirs(member, each)],
        may_read=may(member, "records.read"),
        **choices,
    )


@blueprint.post("/devices/<device_id>/villages")
@require_staff("devices.manage")
@require_csrf
def assign_device(device_id: str) -> BaseResponse:
    """One more village, or one less."""
    member = staff_for("devices.manage")
    device, given = phones.one(member, device_id), request.form
    villages = {*device.villages, given.get("add", "")} - {given.get("drop", ""), ""}
    if not villages or villages == set(device.villages):
        flash(t("devices.move_nothing"), "bad")
    else:
        try:
            phones.assign(member, device_id, sorted(villages))
            flash(t("devices.moved_done"), "good")
        except Problem as problem:
            if problem.code != "device-revoked":
                raise
            flash(problem.words(t("lang"))[1], "bad")
    return redirect(url_for("web.device", device_id=device_id), 303)


@blueprint.post("/devices/codes")
@require_staff("enrolment.create")
@require_csrf
def make_codes() -> str:
    """The sheet is the answer itself: codes are shown once and kept nowhere in the clear."""
    member = staff_for("enrolment.create")
    village, count = request.form.get("village", ""), request.form.get("count", "")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= CODES_MAX):
        raise Problem("invalid", errors={"count": [f"1–{CODES_MAX}"]})
    area = own_area(member, village or "-")
    made = [phones.create_code(member, Offer([village])) for _ in range(int(count))]
    return render_template(
        "codes.html",
        village=area["name"],
        codes=[{"letters": each["code"], "svg": qr(each["link"])} for each in made],
        until=local(made[0]["expires_at"]),
        phone_address=f"{gridbook().settings.public_url}/phone/",
    )


def qr(text: str) -> Markup:
    """The QR code as an inline SVG without styles, which the content policy would refuse."""
    import segno  # its tables take 3 MB

    out = io.BytesIO()
    code = segno.make(text, error="m")
    code.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, nl=False, light="#fff")
    return Markup(out.getvalue().decode())  # noqa: S704  segno writes numbers and colours, never the text


@blueprint.post("/devices/<device_id>/revoke")
@require_staff("devices.manage")
@require_csrf
def revoke_device(device_id: str) -> BaseResponse:
    device = phones.revoke(staff_for("devices.manage"), device_id)
    flash(t("devices.revoked_done", label=device.label or t("devices.unnamed")), "good")
    return redirect(url_for("web.devices"), 303)
