"""Enrolment, the only door that stands open without a credential: a code in, a device token out, once."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from marshmallow import Schema, fields, validate

from server.api.blueprint import Blueprint
from server.api.freshness import untagged
from server.api.problems import Problem
from server.app import gridbook
from server.people import assignment, devices, enrolment, lockout, syncing
from sync.endpoint import Unauthorized

blp = Blueprint(
    "devices", __name__, url_prefix="/api/v1", description="Enrolment of phones, and what a phone is for"
)


class EnrolRequest(Schema):
    code = fields.String(
        required=True,
        validate=validate.Length(min=1, max=40),
        metadata={
            "description": "The code as printed, XXXX-XXXX; case and dashes do not matter.",
            "example": "7KQM-3XWP",
        },
    )
    device_label = fields.String(validate=validate.Length(max=enrolment.LABEL_LENGTH_MAX))
    previous_token = fields.String(
        validate=validate.Length(max=200),
        metadata={
            "description": "The token of this phone's last enrolment: what it made then is taken as its own."
        },
    )


class VillageName(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)


class FillerName(Schema):
    filler_id = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    village_code = fields.String(required=True)


class DistrictName(Schema):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class DeviceAssignment(Schema):
    device_id = fields.String(required=True)
    villages = fields.List(fields.Nested(VillageName), required=True)
    fillers = fields.List(fields.Nested(FillerName), required=True)
    server_uuid = fields.String(required=True)
    district = fields.Nested(DistrictName, required=True)


class Enrolled(DeviceAssignment):
    token = fields.String(
        required=True, metadata={"description": "The device token; it is never shown again."}
    )


@blp.route("/enrol")
class Enrol(MethodView):
    @blp.arguments(EnrolRequest)
    @blp.response(201, Enrolled)
    @blp.alt_response(404, description="No such code")
    @blp.alt_response(410, description="The code was used or has expired")
    @blp.alt_response(429, description="Too many wrong codes from this address")
    def post(self, body: dict[str, str]) -> dict[str, Any]:
        """Turn an enrolment code into a device; the code is used up."""
        people, address = gridbook().people, f"enrol-from:{request.remote_addr}"
        if lockout.wait_s(people, address):
            raise Problem("too-many-requests")
        try:
            device, token = enrolment.redeem(
                people, body["code"], body.get("device_label", ""), body.get("previous_token", "")
            )
        except enrolment.CodeRefused as error:
            lockout.failed(people, address, lockout.ADDRESS)
            raise _problem(error) from None
        return {"token": token, **assignment.describe(gridbook().store, device)}


def _problem(error: enrolment.CodeRefused) -> Problem:
    if not error.gone:
        return Problem("code-unknown")
    words = {
        "used": {"zh": "已被使用", "en": "was used already"},
        "expired": {"zh": "已过期", "en": "has expired"},
    }
    return Problem("code-gone", state=words[error.reason])


@blp.route("/device")
class CurrentDevice(MethodView):
    @blp.response(200, DeviceAssignment)
    @blp.alt_response(401, description="The device token is missing, unknown, expired or revoked")
    @blp.doc(security=[{"deviceToken": []}])
    @untagged("A phone asks seldom and gets a few hundred bytes; the request itself is noted as its contact.")
    def get(self) -> dict[str, Any]:
        """What the asking phone is for, so that it sees changed villages and fillers."""
        return assignment.describe(gridbook().store, _asking_device())


def _asking_device() -> devices.Device:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise Problem("device-unauthorized")
    try:
        device = syncing.device_of(gridbook().people, given.token)
    except Unauthorized:
        raise Problem("device-unauthorized") from None
    devices.note_contact(gridbook().people, device)
    return device
