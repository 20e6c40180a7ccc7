"""Where webhooks may go. Whoever makes a subscription makes the server send requests, so by default they go
to public addresses over https only, and each attempt to an address that was looked up and checked for it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Set
from dataclasses import dataclass
from urllib.parse import urlsplit

URL_LENGTH_MAX = 500
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class BadAddress(ValueError):
    """`why` is one of the words of `webhook-url`: form, https, private, unknown-host."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `path` has the query."""

    tls: bool
    host: str
    port: int
    path: str
    internal: bool

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def target(url: str, internal_hosts: Set[str]) -> Target:
    """Raises BadAddress for what can never be a receiver; looks nothing up."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
        host.encode("idna" if not host.isascii() else "ascii")
    except ValueError:
        raise BadAddress("form") from None
    if (
        len(url) > URL_LENGTH_MAX
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or parts.scheme not in ("http", "https")
        or not host
        or port == 0
        or parts.username is not None
        or parts.fragment
    ):
        raise BadAddress("form")
    internal = host in internal_hosts
    tls = parts.scheme == "https"
    if not tls and not internal:
        raise BadAddress("https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Target(tls, host, port or (443 if tls else 80), path, internal)
    if not internal and _is_address(host) and not is_public(host):
        raise BadAddress("private")
    return found


def resolve(found: Target) -> str:
    """An address to connect to. Raises BadAddress when the host has none, or one that is not public: who
    answers with both kinds is not believed either."""
    try:
        answers = socket.getaddrinfo(found.host, found.port, type=socket.SOCK_STREAM)
    except OSError:
        raise BadAddress("unknown-host") from None
    addresses = [str(answer[4][0]) for answer in answers]
    if not addresses:
        raise BadAddress("unknown-host")
    if not found.internal and not all(is_public(address) for address in addresses):
        raise BadAddress("private")
    return addresses[0]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether it lies outside every private, local, reserved and multicast range, also the IPv4 address that
    an IPv6 address may carry."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if carried is None and parsed in NAT64:
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
