"""Labels of choices outside a record: what a list's code is called in the newest forms."""

from __future__ import annotations

from typing import Any

from server.api.catalogue import forms
from server.web.language import pick


def choice_label(list_name: str, code: Any) -> str:
    """The label of `code`, or the code itself; nothing for no code."""
    if not code:
        return ""
    for versions in forms().versions.values():
        for choice in versions[-1].get("choices", {}).get(list_name, ()):
            if choice["name"] == code:
                return pick(choice["label"])
    return str(code)


def items_in_words(items: list[dict[str, Any]]) -> str:
    """Supplies as an entry is entitled to them or got them: 蔬菜箱 ×1、大米 ×1."""
    return "、".join(_item(each) for each in items) or "—"


def _item(item: dict[str, Any]) -> str:
    return f"{choice_label('item', item['item_code'])} ×{item['qty']:g}"
