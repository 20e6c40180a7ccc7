"""JSON answers as Flask writes them, an order of magnitude faster."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from flask.json.provider import DefaultJSONProvider

COMPACT = {"separators": (",", ":")}  # how `response` asks, but in debug mode
# What Flask writes in its own way is left to it.
OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


class FastJson(DefaultJSONProvider):
    ensure_ascii = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        if kwargs == COMPACT:
            with suppress(TypeError):  # a date, half a surrogate pair, a number of more than 64 bits
                return orjson.dumps(obj, option=OPTIONS).decode()
        return super().dumps(obj, **kwargs)
