"""Devices as staff manage them: list, revoke, and codes to enrol more."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, own_area, staff_for
from server.api.blueprint import Blueprint
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from server.people import devices, enrolment
from server.people.devices import Device
from server.people.permissions import covers
from server.people.staff import Staff
from server.people.web import require_csrf

log = logging.getLogger(__name__)
blp = Blueprint("phones", __name__, url_prefix="/api/v1", description="Devices and enrolment codes")


def theirs(member: Staff, device: Device) -> bool:
    """A device is its area's business when all its villages lie in the area: a town cannot revoke a
    neighbour's phone."""
    return all(covers(member.area, village) for village in device.villages)


def listed(member: Staff) -> list[Device]:
    return [device for device in devices.every(gridbook().people) if theirs(member, device)]


@blp.route("/devices")
class Devices(MethodView):
    @allowed("devices.manage")
    @blp.response(200, shapes.DeviceList)
    @tagged("devices")
    def get(self) -> dict[str, Any]:
        """The devices of your area, oldest first, with their last contact."""
        return {"items": [asdict(device) for device in listed(staff_for("devices.manage"))]}


@blp.route("/devices/<string:device_id>/revoke")
class Revocation(MethodView):
    @allowed("devices.manage")
    @require_csrf
    @blp.response(200, shapes.Device)
    def post(self, device_id: str) -> dict[str, Any]:
        """Shut a device out, within a second. What it sent stays."""
        return asdict(revoke(staff_for("devices.manage"), device_id))


def one(member: Staff, device_id: str) -> Device:
    """Raises Problem("unknown-device"), also for one that is not of the member's area alone."""
    device = devices.by_id(gridbook().people, device_id)
    if device is None or not theirs(member, device):
        raise Problem("unknown-device")
    return device


@blp.route("/devices/<string:device_id>/villages")
class Assignment(MethodView):
    @allowed("devices.manage")
    @require_csrf
    @blp.arguments(shapes.AssignmentRequest)
    @blp.response(200, shapes.Device)
    def post(self, body: dict[str, Any], device_id: str) -> dict[str, Any]:
        """Give a phone these villages instead of those that it has. What it still holds of a village that is
        taken away waits on it: leave a village in until the phone has synced."""
        return asdict(assign(staff_for("devices.manage"), device_id, body["villages"]))


def assign(member: Staff, device_id: str, villages: list[str]) -> Device:
    """Raises Problem: no such device, a revoked one, a village that is none or not the member's."""
    device = one(member, device_id)
    if device.revoked:
        raise Problem("device-revoked")
    for village in villages:
        if own_area(member, village)["level"] != "village":
            raise Problem("unknown-area", area=village)
    chosen = sorted(set(villages))
    devices.assign(gridbook().people, device_id, chosen)
    log.info(
        "%s moved device %s from %s to %s",
        member.writer, device_id, ", ".join(device.villages), ", ".join(chosen),
    )  # fmt: skip
    return one(member, device_id)


def revoke(member: Staff, device_id: str) -> Device:
    people = gridbook().people
    device = one(member, device_id)
    devices.revoke(people, device_id)
    log.info("%s revoked device %s", member.writer, device_id)
    return devices.by_id(people, device_id) or device


@blp.route("/enrolment-codes")
class Codes(MethodView):
    @allowed("enrolment.create")
    @require_csrf
    @blp.arguments(shapes.CodeRequest)
    @blp.response(201, shapes.Code)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a code that enrols one phone for some villages. It is shown once and used once."""
        offer = enrolment.Offer(body["villages"], body["filler_ids"], body["device_days"])
        return create_code(staff_for("enrolment.create"), offer)


def create_code(member: Staff, offer: enrolment.Offer) -> dict[str, Any]:
    """{code, link, villages, expires_at}. Raises Problem for a village that is none or not the member's."""
    settings, people = gridbook().settings, gridbook().people
    for village in offer.villages:
        if own_area(member, village)["level"] != "village":
            raise Problem("unknown-area", area=village)
    valid_for = timedelta(hours=settings.enrol_hours)
    code = enrolment.create_code(people, offer, valid_for=valid_for, made_by=member.staff_id)
    log.info("%s made an enrolment code for %s", member.writer, ", ".join(offer.villages))
    return {
        "code": code,
        "link": f"{settings.public_url}/phone/#enrol={code}",
        "villages": list(offer.villages),
        "expires_at": people.stamp(valid_for),
    }
