"""Devices: who was heard from when, codes for new ones on a sheet to print, and the way to shut one out."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import segno
from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from server import clock
from server.api import phones
from server.api.access import own_area, staff_for
from server.api.beijing import local
from server.api.problems import Problem
from server.app import gridbook
from server.people.devices import Device
from server.people.enrolment import Offer
from server.people.permissions import may
from server.people.web import require_csrf, require_staff
from server.web.asking import area_choices
from server.web.language import translate as t
from server.web.pages import blueprint

CODES_MAX = 40
SILENT_AFTER = timedelta(hours=24)


@blueprint.get("/devices", endpoint="devices")
@require_staff("devices.manage")
def devices_page() -> str:
    member = staff_for("devices.manage")
    choices = area_choices(member)
    names = {area["code"]: area["name"] for area in choices["villages"]}
    found = [_device(device, names) for device in phones.listed(member)]
    return render_template(
        "devices.html",
        devices=sorted(found, key=lambda device: (device["revoked"], device["codes"], device["label"])),
        silent=sum(device["silent"] for device in found),
        may_enrol=may(member, "enrolment.create"),
        may_manage=may(member, "devices.manage"),
        enrol_hours=gridbook().settings.enrol_hours,
        **choices,
    )


def _device(device: Device, names: dict[str, str]) -> dict[str, Any]:
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
