"""One request to the endpoint, with all that its handler may need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import quote

from flask import Request

from sync.access import Access
from sync.endpoint import bodies
from sync.endpoint.errors import EntityTooLarge
from sync.endpoint.limits import Limits
from sync.endpoint.query import Query
from sync.store import BadRequest, Database, Store


class Principal(Protocol):
    """Who asks. `writer` is remembered with every revision that the principal hands in."""

    @property
    def writer(self) -> str: ...


@dataclass
class Call:
    request: Request
    store: Store
    limits: Limits
    writer: str
    access: Access
    root: str  # the path of what is CouchDB's `/`
    database_name: str
    names: tuple[str, ...]  # the path below the database: document id, attachment name

    @cached_property
    def database(self) -> Database:
        return self.store.open(self.database_name)

    @cached_property
    def query(self) -> Query:
        return Query(self.request.args)

    @property
    def wants_batch(self) -> bool:
        return self.query.text("batch") == "ok"

    def address(self, *names: str) -> str:
        """Of the database, or of what `names` name below it: for `Location`."""
        path = "/".join(quote(name, safe="") for name in (self.database_name, *names))
        return f"{self.request.scheme}://{self.request.host}{self.root}/{path}"

    def body(self) -> bytes:
        return bodies.read(self.request, self.limits.body_bytes_max)

    def json(self) -> Any:
        return bodies.read_json(self.request, self.limits.body_bytes_max)

    def related(self) -> Any:
        return bodies.read_related(self.request, self.limits.body_bytes_max)

    def json_object(self) -> dict[str, Any]:
        told = self.json()
        if not isinstance(told, dict):
            raise BadRequest("Request body must be a JSON object")
        return told

    def accepts(self, mimetype: str) -> bool:
        """As CouchDB reads `Accept`: who sends none takes anything."""
        accepted = self.request.accept_mimetypes
        return not accepted.provided or accepted.quality(mimetype) > 0

    def bounded(self, items: Sequence[Any] | Mapping[Any, Any]) -> None:
        if len(items) > self.limits.keys_max:
            raise EntityTooLarge(f"One request may name {self.limits.keys_max} documents at most.")
