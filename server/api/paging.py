"""Cursors that fit one query only: sealed with the query they came from and the server's key.

A cursor that was changed, cut, or taken from another query does not open; the reader is told to start again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from server.api.problems import Problem

LIMIT_DEFAULT = 50
LIMIT_MAX = 500
CURSOR_LENGTH_MAX = 2000


def fingerprint(query: Mapping[str, Any]) -> str:
    """What makes two queries the same: every given parameter except cursor and limit."""
    parts = {key: value for key, value in query.items() if value is not None and key not in ("cursor", "limit")}
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def seal(inner: str | None, query: Mapping[str, Any]) -> str | None:
    return None if inner is None else str(_sealer(query).dumps(inner))


def unseal(cursor: str | None, query: Mapping[str, Any]) -> str | None:
    """The read model's cursor inside `cursor`. Raises Problem("bad-cursor")."""
    if not cursor:
        return None
    if len(cursor) > CURSOR_LENGTH_MAX:
        raise Problem("bad-cursor")
    try:
        return str(_sealer(query).loads(cursor))
    except BadData:
        raise Problem("bad-cursor") from None


def _sealer(query: Mapping[str, Any]) -> URLSafeSerializer:
    key = current_app.secret_key
    if not key:
        raise RuntimeError("the app has no secret key")
    return URLSafeSerializer(key, salt=f"cursor:{fingerprint(query)}")
