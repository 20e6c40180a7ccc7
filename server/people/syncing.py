"""Identity for the sync endpoint: device tokens, and the optional server admin of the settings."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import Authorization

from server.people import devices
from server.people.people import People
from sync.endpoint import Unauthorized

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncAdmin:
    """Whoever knows GRIDBOOK_SYNC_ADMIN."""

    name: str
    sync_admin: bool = True

    @property
    def writer(self) -> str:
        return f"admin:{self.name}"


def identifier(
    people: People, admin: tuple[str, str] | None
) -> Callable[[Request], devices.Device | SyncAdmin | None]:
    """The endpoint's `identify`: None without a credential; raises Unauthorized for one that is no good."""

    def identify(request: Request) -> devices.Device | SyncAdmin | None:
        if "Authorization" not in request.headers:
            return None
        given = request.authorization
        if given is not None and given.type == "bearer" and given.token:
            return device_of(people, given.token)
        if given is not None and given.type == "basic":
            return _admin_of(admin, given)
        raise Unauthorized("Send a device token as `Authorization: Bearer …`.")

    return identify


def device_of(people: People, token: str) -> devices.Device:
    """The device with this token, if it may still be used. Raises Unauthorized."""
    device = devices.by_token(people, token)
    if device is None:
        raise Unauthorized("This device token is not known.")
    if device.revoked:
        raise Unauthorized("This device was revoked. Ask for a new enrolment code.")
    if device.expired(people.stamp()):
        raise Unauthorized("This device token has expired. Ask for a new enrolment code.")
    return device


def _admin_of(admin: tuple[str, str] | None, given: Authorization) -> SyncAdmin:
    expected = ":".join(admin).encode() if admin else b""
    sent = f"{given.username}:{given.password}".encode()
    if not hmac.compare_digest(expected, sent) or admin is None:
        raise Unauthorized("Name or password is incorrect.")
    return SyncAdmin(admin[0])


def contact_noter(people: People) -> Callable[[object], None]:
    """The endpoint's `on_contact`."""

    def on_contact(principal: object) -> None:
        if isinstance(principal, devices.Device):
            try:
                devices.note_contact(people, principal)
            except OperationalError as error:  # a full disk: no reason to refuse what the phone wants
                log.warning("the contact of device %s was not noted: %s", principal.device_id, error.orig)

    return on_contact
