"""JSON and text as the tables keep them.

Documents from outside may hold what a database refuses: NUL characters, lone surrogates, numbers beyond 64
bits. JSON columns are plain
text in which such characters are escapes; text columns lose them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson

REPLACEMENT = "\ufffd"
KEY_MAX = 300  # characters; a PostgreSQL index entry has to fit into a third of a page


def encode(value: Any) -> str:
    """JSON text that every database takes. Raises ValueError for what is no JSON (NaN, endless nesting)."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return _encode_slowly(value)


def _encode_slowly(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error


def decode(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def plain(value: str, limit: int = 1000) -> str:
    """Text that every database takes: no NUL, no lone surrogate, at most `limit` characters."""
    if value.isascii() and len(value) <= limit and "\0" not in value:
        return value
    return value[:limit].replace("\0", REPLACEMENT).encode("utf-8", "replace").decode("utf-8")


def key(value: str) -> str:
    """`value` itself when a database can hold and index it, else a shortened text that stays unique."""
    if len(value) <= KEY_MAX and value.isascii() and "\0" not in value:
        return value
    if len(value) <= KEY_MAX and plain(value, KEY_MAX) == value:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain(value, KEY_MAX // 2)}…{digest}"


def digest(value: Any) -> str:
    """The same short text for the same JSON value, whatever the order of its names."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        text = repr(value).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:24]
