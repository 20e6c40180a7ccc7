"""People: staff, their sessions and API tokens; devices and how they are enrolled; who may do what."""

from __future__ import annotations

from server.people import devices
from server.people.devices import Device
from server.people.people import People
from server.people.staff import Staff

__all__ = ["Device", "People", "Staff", "device_for_token"]


def device_for_token(token: str) -> Device | None:
    """The running app's device that holds `token`; look at `revoked` and `expired` before trusting it."""
    from server.app import gridbook

    return devices.by_token(gridbook().people, token)
