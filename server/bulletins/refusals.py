"""Why a bulletin cannot be made; `server/api/problems.py` has the words for each code."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """`code` names the reason, `fields` fill its sentence."""

    def __init__(self, code: str, **fields: Any) -> None:
        super().__init__(f"{code} {fields}" if fields else code)
        self.code = code
        self.fields = fields
