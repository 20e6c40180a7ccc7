"""Identity for the sync endpoint: device tokens, and the optional server admin of the settings."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request
from werkzeug.datastructures import Authorization

from server.people import devices
from server.people.contacts import Contacts
from server.people.people import People
from sync.endpoint import Unauthorized

REMEMBERED_S = 1.0
REMEMBERED_MAX = 10_000
BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class SyncAdmin:
    """Whoever knows GRIDBOOK_SYNC_ADMIN."""

    name: str
    sync_admin: bool = True

    @property
    def writer(self) -> str:
        return f"admin:{self.name}"


class KnownDevices:
    """Devices by token, remembered for a moment: a sync is many requests in a row.

    A phone that is revoked, or whose villages change, is treated so within REMEMBERED_S.
    """

    def __init__(self, people: People, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._people = people
        self._monotonic = monotonic
        self._known: dict[str, tuple[devices.Device, float]] = {}

    def holder(self, token: str) -> devices.Device:
        """The device with this token, if it may be used. Raises Unauthorized."""
        device, until = self._known.get(token, (None, 0.0))
        if device is not None and self._monotonic() < until:
            return device
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known.pop(token, None)
        device = device_of(self._people, token)
        self._known[token] = device, self._monotonic() + REMEMBERED_S
        return device


def identifier(
    people: People, admin: tuple[str, str] | None
) -> Callable[[Request], devices.Device | SyncAdmin | None]:
    """The endpoint's `identify`: None without a credential; raises Unauthorized for one that is no good."""
    known = KnownDevices(people)

    def identify(request: Request) -> devices.Device | SyncAdmin | None:
        told: str | None = request.environ.get("HTTP_AUTHORIZATION")
        if told is None:
            return None
        if told.startswith(BEARER) and (token := told.removeprefix(BEARER).strip()):
            return known.holder(token)
        given = request.authorization
        if given is not None and given.type == "bearer" and given.token:
            return known.holder(given.token)
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
    contacts = Contacts(people)

    def on_contact(principal: object) -> None:
        if isinstance(principal, devices.Device):
            contacts.note(principal)

    return on_contact
