"""How one sees that a bulletin is as it was frozen: canonical JSON, its SHA-256 digest, and an HMAC over the
digest under a key that only this server's data folder holds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Any

import orjson

from server import datafolder

KEY_FILE = "bulletin.key"
KEY_BYTES = 32


def canonical(content: Any) -> bytes:
    """One spelling for one content: members in order of their names, no blanks, UTF-8."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def key(data: Path) -> bytes:
    """Made at first use, mode 0600. Without the file no earlier bulletin can be verified: back it up."""
    path = data / KEY_FILE
    if not path.exists():
        with datafolder.start_lock(data):
            if not path.exists():
                datafolder.write_private(path, secrets.token_hex(KEY_BYTES))
    return bytes.fromhex(path.read_text("ascii").strip())


def signature(sealing_key: bytes, name: str, content_digest: str) -> str:
    """Bound to the number, so that one bulletin cannot be passed off as another."""
    return hmac.new(sealing_key, f"{name}\n{content_digest}".encode(), hashlib.sha256).hexdigest()


def is_signed(sealing_key: bytes, name: str, content_digest: str, given: str) -> bool:
    return hmac.compare_digest(signature(sealing_key, name, content_digest), given)
