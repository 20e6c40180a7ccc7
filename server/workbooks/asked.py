"""What one asks for with a sheet: area, day, language, in full or masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.readmodel.model import ReadModel

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """`content` is the day's bulletin, or its preview; `names` are the areas' names by code; `now` is
    RFC 3339 UTC."""

    readmodel: ReadModel
    area: Mapping[str, Any]
    day: str
    now: str
    content: Mapping[str, Any]
    forms: Mapping[str, list[dict[str, Any]]]
    names: Mapping[str, str] = field(default_factory=dict)
    language: str = "zh"
    in_full: bool = False

    def pick(self, words: Any) -> str:
        if isinstance(words, Mapping):
            return str(words.get(self.language) or words.get("zh") or "")
        return "" if words is None else str(words)

    def covers(self, code: str) -> bool:
        return code.startswith(str(self.area["code"]))
