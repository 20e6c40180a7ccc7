"""Which answers identify a person, and what is left of them for a reader who need not know who it is.

Masked are the answers of class P1 or P2 by which somebody could be found: names, phones, documents, birth
dates, addresses, plates, and
whatever else is free text. Counts, choices, days and temperatures stay readable: without the name they are
what the district works with.
The form says the class (`pii`), the question's name says the kind.

| kind | before | after |
|---|---|---|
| name | 张三丰, 欧阳修 | 张**, 欧阳** |
| phone | 13812345678, 0533-4110011 | 138****5678, 0533-***0011 |
| id | 11010519491231002X | 110105********002X |
| address | 幸福小区3号楼2单元501室 | 幸福小区3号楼*** |
| plate | 鲁C12345 | 鲁C***45 |
| text | (anything) | *** |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

HIDDEN = "***"

# Two-character family names that are still borne; a list, because nothing in the characters tells them apart.
DOUBLE_SURNAMES = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|太叔|申屠|公孙|慕容|仲孙|"
    "钟离|长孙|宇文|司徒|鲜于|司空|闾丘|子车|亓官|司寇|巫马|公西|颛孙|壤驷|公良|漆雕|乐正|宰父|谷梁|拓跋|夹谷|轩辕|令狐|段干|百里|"
    "呼延|东郭|南门|羊舌|微生|梁丘|左丘|东门|西门|南荣|第五|贺兰|完颜"
)

_RESIDENT_ID = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_CODE = re.compile(r"[A-Za-z0-9_.:+\-]{1,80}|\w{1,2}")
_TELEPHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")


def mask_name(name: str) -> str:
    """The family name and two stars; a name that is not Chinese keeps its first letter."""
    text = name.strip()
    if not text:
        return ""
    keep = 2 if DOUBLE_SURNAMES.match(text) and len(text) > 2 else 1
    return text[:keep] + "**"


def mask_phone(phone: str) -> str:
    """A mobile keeps three and four digits, a landline its area code and four; anything else is hidden."""
    text = phone.strip()
    digits = re.sub(r"\D", "", text)
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) == 11 and digits.startswith("1"):
        return f"{digits[:3]}****{digits[-4:]}"
    if area := re.match(r"^(0\d{2,3})-?\d{7,8}$", text):
        return f"{area[1]}-***{digits[-4:]}"
    if 7 <= len(digits) <= 8:
        return f"***{digits[-4:]}"
    return HIDDEN if text else ""


def mask_id(number: str) -> str:
    """First six and last four of a resident ID; of other documents the last two."""
    text = number.strip()
    if len(text) == 18:
        return f"{text[:6]}********{text[-4:]}"
    if len(text) > 6:
        return f"{'*' * (len(text) - 2)}{text[-2:]}"
    return HIDDEN if text else ""


def mask_address(address: str) -> str:
    """As far as the building, street or village; the unit, the room and the door number go."""
    text = address.strip()
    if not text:
        return ""
    parts = _building(text)
    return parts + HIDDEN if parts else HIDDEN


def _building(text: str) -> str:
    """The longest leading part that ends with a building, street or village word and leaves something to
    hide."""
    ends = [
        match.end()
        for match in re.finditer(r"号楼|幢|栋|座|弄|巷|胡同|街道|街|路|组|社区|小区|村|镇|区", text)
    ]
    ends = [end for end in ends if end < len(text)]
    return text[: ends[-1]] if ends else ""


def mask_plate(plate: str) -> str:
    """Province, city letter and the last two."""
    text = plate.strip()
    return f"{text[:2]}***{text[-2:]}" if len(text) >= 6 else (HIDDEN if text else "")


def mask_text(text: str) -> str:
    return HIDDEN if text.strip() else ""


def mask_numbers_within(text: str) -> str:
    """Free text in which people write what belongs elsewhere: documents and mobiles are masked where they
    stand."""
    text = _RESIDENT_ID.sub(lambda match: mask_id(match[0]), text)
    return _TELEPHONE.sub(lambda match: mask_phone(match[0]), text)


def mask_code(text: str) -> str:
    """A choice's code stays; prose in its place, which no phone of ours sends, is hidden."""
    return mask_numbers_within(text) if _CODE.fullmatch(text) else mask_text(text)


MASKS: dict[str, Callable[[str], str]] = {
    "name": mask_name,
    "phone": mask_phone,
    "id": mask_id,
    "address": mask_address,
    "plate": mask_plate,
    "text": mask_text,
    "numbers_within": mask_numbers_within,
    "code": mask_code,
}

_KINDS_BY_NAME: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("phone", re.compile(r"phone|mobile|telephone")),
    ("plate", re.compile(r"plate|transport_no")),
    ("address", re.compile(r"address|addr$")),
    ("id", re.compile(r"(^|_)id_number|(^|_)id_no|passport|certificate")),
    ("text", re.compile(r"birth|door_no")),
    ("name", re.compile(r"name$|^head_|contact_proxy|(^|_)approver$|witness")),
)
_READABLE = re.compile(
    r"integer|decimal|range|date|dateTime|acknowledge|image|audio|geopoint|note|barcode|start|end|today|deviceid|select_\w+"
)


def mask_kind(question: Mapping[str, Any]) -> str | None:
    """The mask for a question's answers, or None when they stay readable. `question` is a row of a form:
    name, type, pii."""
    name, kind = str(question.get("name", "")), str(question.get("type", "text")).split(" ")[0]
    if kind in ("select_one", "select_multiple"):
        return "code"
    if _READABLE.fullmatch(kind):
        return "numbers_within"
    if question.get("pii", "P2") == "P0":
        return "numbers_within" if kind == "text" else None
    named = next((mask for mask, pattern in _KINDS_BY_NAME if pattern.search(name)), None)
    return named or ("numbers_within" if kind in ("calculate", "hidden") else "text")


def mask_value(kind: str | None, value: Any) -> Any:
    """`value` under the mask `kind`. Numbers and yes or no pass where the question is readable; a number in
    place of a name is hidden."""
    if kind is None or value is None:
        return value
    if isinstance(value, str):
        return MASKS.get(kind, mask_text)(value)
    if isinstance(value, list):
        return [HIDDEN if isinstance(item, list) else mask_value(kind, item) for item in value]
    return value if kind in ("numbers_within", "code") and not isinstance(value, dict) else HIDDEN


def mask_answers(questions: Iterable[Mapping[str, Any]], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of one record (or one instance of a repeat) with every identifying one masked.

    An answer that no question knows is hidden whole: its class is not known either.
    """
    known = dict(_by_name(questions))
    return {name: _mask_one(known.get(name), value) for name, value in answers.items()}


def _by_name(questions: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for row in questions:
        if row.get("type") == "begin_group":
            yield from _by_name(row.get("children", ()))
        elif "name" in row:
            yield str(row["name"]), row


def _mask_one(question: Mapping[str, Any] | None, value: Any) -> Any:
    if question is None:
        return value if isinstance(value, bool) else HIDDEN
    if question.get("type") == "begin_repeat":
        rows = value if isinstance(value, list) else []
        children = question.get("children", ())
        return [mask_answers(children, row) if isinstance(row, Mapping) else HIDDEN for row in rows]
    return mask_value(mask_kind(question), value)


_REGISTER_KINDS = {
    "head_name": "name",
    "head_display": "name",
    "phone": "phone",
    "address": "address",
    "door_no": "text",
    "id_number": "id",
}
_REGISTER_HIDDEN = frozenset({"head_search", "name_search", "lon", "lat"})


def mask_register_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A household or roster entry for a reader who need not know who lives there.

    The search keys go, for they spell the name, and so do the coordinates, for they are the address."""
    return {
        key: mask_value(_REGISTER_KINDS.get(key), value)
        for key, value in entry.items()
        if key not in _REGISTER_HIDDEN
    }
