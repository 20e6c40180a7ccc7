"""flask-smorest's blueprint, but an unknown parameter of a query is a mistake and not passed over."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

import flask_smorest
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser


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
