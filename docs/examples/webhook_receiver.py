"""A receiver of Gridbook's webhooks in one file, to be copied: it needs nothing but Python.

export GRIDBOOK_WEBHOOK_SECRET=whsec_…
python webhook_receiver.py --port 9000        prints each event once, as a line of JSON

Put it behind a proxy with a certificate: Gridbook sends to https only, unless GRIDBOOK_WEBHOOK_HOSTS names
the host.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

BODY_BYTES_MAX = 1 << 20
CLOCK_S = 300  # how far the sender's clock and ours may be apart; an older request is a replay
SEEN_MAX = 10_000  # ids that are remembered, because an event may come more than once


class Refused(Exception):
    """Not from Gridbook, or not now."""


def checked(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The event's id. `body` is the request's bytes as they came: JSON written anew is signed otherwise.
    Raises Refused."""
    event_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isascii() or not sent_at.isdigit() or abs(now - int(sent_at)) > CLOCK_S:
        raise Refused("no timestamp, or a clock is wrong")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Refused("GRIDBOOK_WEBHOOK_SECRET is no secret") from None
    signed = hmac.digest(key, f"{event_id}.{sent_at}.".encode() + body, hashlib.sha256)
    ours = f"v1,{base64.b64encode(signed).decode()}".encode()
    given = headers.get("webhook-signature", "").split()  # several, while a secret is being changed
    if not any(hmac.compare_digest(ours, each.encode()) for each in given):
        raise Refused("wrong signature")
    return event_id


class Receiver(BaseHTTPRequestHandler):
    timeout = 10
    secret = ""
    seen: ClassVar[OrderedDict[str, None]] = OrderedDict()

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > BODY_BYTES_MAX:
            self._answer(413)
            return
        body = self.rfile.read(int(size))
        try:
            event_id = checked(self.secret, self.headers, body, time.time())
        except Refused as refused:
            print(refused, file=sys.stderr)
            self._answer(401)
            return
        if event_id not in self.seen:
            self.handle_event(body)
            self.seen[event_id] = None
            while len(self.seen) > SEEN_MAX:
                self.seen.popitem(last=False)
        self._answer(204)

    def handle_event(self, body: bytes) -> None:
        """Yours to write. Be quick, or put it into a queue: Gridbook waits 15 seconds for the answer."""
        print(body.decode(), flush=True)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive webhooks of a Gridbook server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    asked = parser.parse_args()
    Receiver.secret = os.environ.get("GRIDBOOK_WEBHOOK_SECRET", "")
    if not Receiver.secret:
        sys.exit("Set GRIDBOOK_WEBHOOK_SECRET in the environment.")
    with ThreadingHTTPServer((asked.host, asked.port), Receiver) as server:
        print(f"listening on port {server.server_address[1]}", file=sys.stderr, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
