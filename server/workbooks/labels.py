"""Codes as people read them: choices by their labels, moments in Beijing's time, yes and no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from server.api.beijing import local
from server.workbooks.asked import Asked

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
STATES = {
    "open": {"zh": "未发", "en": "nothing yet"},
    "partial": {"zh": "部分发放", "en": "partly"},
    "done": {"zh": "已发", "en": "served"},
    "reported": {"zh": "已报", "en": "reported"},
    "nil": {"zh": "零报告", "en": "nothing to report"},
    "silent": {"zh": "未报", "en": "silent"},
    "accepted": {"zh": "已通过", "en": "accepted"},
    "accepted_with_warnings": {"zh": "已通过（有提示）", "en": "accepted with warnings"},
    "quarantined": {"zh": "待更正", "en": "quarantined"},
    "returned": {"zh": "已退回", "en": "returned"},
    True: {"zh": "是", "en": "yes"},
    False: {"zh": "否", "en": "no"},
}


class Labels:
    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    @cached_property
    def _lists(self) -> Mapping[str, Mapping[str, str]]:
        """Of every form's newest version; the first form that has a list names its codes."""
        found: dict[str, dict[str, str]] = {}
        for versions in self._asked.forms.values():
            for name, choices in versions[-1].get("choices", {}).items():
                labels = {choice["name"]: self._asked.pick(choice["label"]) for choice in choices}
                found.setdefault(name, labels)
        return found

    def written(self, value: Any, choices: str | None = None) -> Any:
        """A cell's content: a number stays one, everything else becomes text, nothing is None."""
        if isinstance(value, bool):
            return self.state(value)
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str):
            return "、".join(str(self.written(each, choices)) for each in value)
        text = str(value)
        if choices:
            return self._lists.get(choices, {}).get(text, text)
        return local(text) if MOMENT.match(text) else text

    def state(self, value: Any) -> str:
        return self._asked.pick(STATES[value]) if value in STATES else str(value)
