"""When devices were last heard from, noted in bulk.

In the evening rush thousands of phones sync within minutes. A note of its own for each would sync the disk
as often as their records do; so notes are collected and written together, a moment later. What a killed
process had not written yet is lost, and made good by the phone's next sync.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy.exc import OperationalError

from server.people import devices
from server.people.people import People

log = logging.getLogger(__name__)

WRITTEN_AFTER_S = 1.0


class Contacts:
    """Of one process. A device is noted once in CONTACT_GRAIN, however often it asks."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._noted: dict[str, float] = {}  # device id → when, in monotonic seconds
        self._unwritten: dict[str, str] = {}  # device id → RFC 3339 UTC
        self._changing = threading.Lock()

    def note(self, device: devices.Device) -> None:
        now = time.monotonic()
        if now < self._noted.get(device.device_id, 0.0):
            return
        with self._changing:
            self._noted[device.device_id] = now + devices.CONTACT_GRAIN.total_seconds()
            is_first = not self._unwritten
            self._unwritten[device.device_id] = self._people.stamp()
        if is_first:
            writer = threading.Timer(WRITTEN_AFTER_S, self.write)
            writer.name, writer.daemon = "contacts", True
            writer.start()

    def write(self) -> None:
        with self._changing:
            noted, self._unwritten = self._unwritten, {}
        try:
            devices.note_contacts(self._people, noted)
        except OperationalError as error:  # a full disk
            log.warning("the contacts of %d devices were not noted: %s", len(noted), error.orig)
