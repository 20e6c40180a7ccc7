"""One attempt: a signed POST as Standard Webhooks 1.0 has it. Redirects are not followed, proxies of the
environment not used, and of the answer nothing is read but its status line and headers."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Sequence, Set
from dataclasses import dataclass

from server.webhooks.addresses import BadAddress, Target, resolve, target

TIMEOUT_S = 15.0  # for the whole attempt
GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` of HTTP, 0 when none came; `error` in a few English words, empty when it was delivered."""

    status: int
    error: str

    @property
    def delivered(self) -> bool:
        return not self.error


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def send(
    url: str,
    internal_hosts: Set[str],
    secrets: Sequence[str],
    event_id: str,
    body: bytes,
    timestamp: int,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Gridbook-Webhooks/1",
        "Connection": "close",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(each, event_id, timestamp, body) for each in secrets),
    }
    try:
        found = target(url, internal_hosts)
        status = _post(found, resolve(found), headers, body, timeout_s)
    except BadAddress as refused:
        return Answer(0, f"address refused: {refused.why}")
    except TimeoutError:
        return Answer(0, f"no answer within {timeout_s:g} s")
    except ssl.SSLError as error:
        return Answer(0, f"no secure connection: {error.reason or 'TLS'}")
    except http.client.HTTPException as error:
        return Answer(0, f"no HTTP answer: {type(error).__name__}")
    except OSError as error:
        return Answer(0, f"no connection: {error.strerror or type(error).__name__}")
    if 200 <= status < 300:
        return Answer(status, "")
    return Answer(status, "redirects are not followed" if 300 <= status < 400 else f"answered {status}")


def _post(found: Target, address: str, headers: dict[str, str], body: bytes, timeout_s: float) -> int:
    """The status. Raises TimeoutError when it takes longer altogether, however slowly bytes drip."""
    connection = _To(found, address, timeout_s)
    late = threading.Event()

    def cut() -> None:
        late.set()
        connection.cut()

    timer = threading.Timer(timeout_s, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", found.path, body, {"Host": found.authority, **headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        connection.close()


class _To(http.client.HTTPConnection):
    """To an address that was checked, under the name that the certificate has to have."""

    def __init__(self, found: Target, address: str, timeout_s: float) -> None:
        super().__init__(found.host, found.port, timeout=timeout_s)
        self._found, self._address = found, address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._found.tls:
            self.sock = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self._found.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()  # on what `cut` can reach

    def cut(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
