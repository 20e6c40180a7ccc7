"""Where the CouchDB is and as whom to come, as one address."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SCHEMES = {"couchdb+https": "https", "couchdb+http": "http"}
EXAMPLE = "couchdb+https://user:password@host[:port][/prefix]"

_PREFIX = re.compile(r"[a-z][a-z0-9]{0,60}")


class BadAddress(ValueError):
    """What is no address; says what to write. It never repeats the address, which has a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """`prefix` begins the names of all databases, so that several districts can share one CouchDB."""

    base_url: str
    user: str
    password: str
    prefix: str

    @classmethod
    def parse(cls, address: str) -> Address:
        """Raises BadAddress."""
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadAddress(f"write {EXAMPLE} with a port from 1 to 65535") from None
        if parts.scheme not in SCHEMES or not host or parts.query or parts.fragment:
            raise BadAddress(f"write {EXAMPLE}")
        if not parts.username or not parts.password:
            raise BadAddress(f"write {EXAMPLE}: user and password are missing")
        prefix = parts.path.strip("/")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise BadAddress("write a prefix of small letters and digits, beginning with a letter")
        shown = f"[{host}]" if ":" in host else host
        base_url = f"{SCHEMES[parts.scheme]}://{shown}{f':{port}' if port else ''}"
        return cls(base_url, unquote(parts.username), unquote(parts.password), f"{prefix}$" if prefix else "")

    @property
    def is_private(self) -> bool:
        """Whether what is sent there stays on this machine or a private network, or is encrypted."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "https" or _is_private_host(parts.hostname or "")


def _is_private_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_private or found.is_loopback
