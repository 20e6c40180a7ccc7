"""The answers that are no document: CouchDB's status, `error` and `reason`."""

from __future__ import annotations

from sync.store import StoreError


class Unauthorized(StoreError):
    """No credential, or one that is wrong, expired or revoked."""

    status, error = 401, "unauthorized"


class Forbidden(StoreError):
    status, error = 403, "forbidden"


class MethodNotAllowed(StoreError):
    status, error = 405, "method_not_allowed"

    def __init__(self, methods: list[str]) -> None:
        super().__init__(f"Only {','.join(methods)} allowed")
        self.methods = methods


class EntityTooLarge(StoreError):
    status, error = 413, "too_large"

    def __init__(self, reason: str = "the request entity is too large") -> None:
        super().__init__(reason)


class BadContentType(StoreError):
    status, error = 415, "bad_content_type"


class QueryParseError(StoreError):
    status, error = 400, "query_parse_error"


class NotImplementedHere(StoreError):
    """CouchDB can; this server does not, and says so."""

    status, error = 501, "not_implemented"
