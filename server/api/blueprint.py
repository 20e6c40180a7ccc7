"""flask-smorest's blueprint, but an unknown parameter of a query is a mistake and not passed over, and the
description says which answers carry an ETag."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

import flask_smorest
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser

ETAG = {"description": "Send it back as `If-None-Match`.", "schema": {"type": "string"}}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of the answer that you have: 304 while nothing moved.",
    "schema": {"type": "string"},
    "example": '"6f3a91c5d2b84e07a1c9f0e2d4b65837"',
}
UNCHANGED = {"description": "Nothing moved since the answer with this ETag", "headers": {"ETag": ETAG}}


class Parser(FlaskParser):
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012  webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "json": RAISE,
    }

    def _raw_load_json(self, req: Any) -> Any:
        """Nesting that Python cannot follow is malformed JSON, not a failure of the server."""
        try:
            return super()._raw_load_json(req)
        except RecursionError:
            raise JSONDecodeError("nested too deeply", "[", 0) from None  # "" would mean: no body


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_describe_freshness)


def _describe_freshness(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    if doc_info.get("tagged"):
        doc.setdefault("parameters", []).append(IF_NONE_MATCH)
        doc["responses"][200].setdefault("headers", {})["ETag"] = ETAG
        doc["responses"][304] = UNCHANGED
    if "untagged" in doc_info:
        doc["x-without-etag"] = doc_info["untagged"]
    return doc
