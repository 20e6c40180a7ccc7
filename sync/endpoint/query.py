"""Query parameters, as CouchDB reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sync.endpoint.errors import QueryParseError
from sync.store import BadRequest, StoreError

INTEGER_MAX = 2**53


class Query:
    """Parameters of the URL, over which those of a POST body may be laid."""

    def __init__(self, url: Mapping[str, str], body: Mapping[str, Any] | None = None) -> None:
        self._url = url
        self._body = body or {}

    def __contains__(self, name: str) -> bool:
        return name in self._url or name in self._body

    def text(self, name: str) -> str | None:
        if name in self._body:
            value = self._body[name]
            return value if isinstance(value, str) else orjson.dumps(value).decode()
        return self._url.get(name)

    def says(self, name: str) -> bool:
        """As CouchDB reads it for documents and changes: whatever is not `true` is false."""
        return self.text(name) == "true"

    def flag(self, name: str, *, default: bool = False) -> bool:
        """As CouchDB reads it for views: `true` or `false` and nothing else."""
        value = self.text(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            raise QueryParseError(f'Invalid boolean parameter: "{value}"')
        return value == "true"

    def integer(self, name: str, complaint: type[StoreError] = BadRequest) -> int | None:
        """A whole number, not negative."""
        value = self.text(name)
        if value is None:
            return None
        if value.isascii() and value.startswith("-") and value[1:].isdigit():
            raise complaint(f'Invalid value for positive integer: "{value[:100]}"')
        if not (value.isascii() and value.isdigit()) or int(value[:20]) > INTEGER_MAX:
            raise complaint(f'Invalid value for integer: "{value[:100]}"')
        return int(value)

    def json(self, *names: str) -> Any:
        """The first of `names` that is given, decoded; None without one."""
        for name in names:
            if name in self._body:
                return self._body[name]
            if name in self._url:
                return self._decoded(name)
        return None

    def _decoded(self, name: str) -> Any:
        try:
            return orjson.loads(self._url[name])
        except orjson.JSONDecodeError:
            raise BadRequest("invalid UTF-8 JSON") from None
