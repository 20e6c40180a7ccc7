"""Search keys by pinyin, so that a phone finds 单晓明 when `sxm` is typed, without a pinyin table."""

from __future__ import annotations

from functools import cache

# Characters that are read differently as a family name.
FAMILY_NAMES = {
    "单": "shan",
    "解": "xie",
    "曾": "zeng",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "朴": "piao",
    "盖": "ge",
    "任": "ren",
    "华": "hua",
    "纪": "ji",
    "宁": "ning",
    "缪": "miao",
    "翟": "zhai",
    "覃": "qin",
    "乐": "yue",
    "员": "yun",
    "尉": "wei",
    "种": "chong",
    "逄": "pang",
    "折": "she",
    "洗": "xian",
    "隗": "wei",
    "葛": "ge",
    "召": "shao",
}
DOUBLE_FAMILY_NAMES = {
    "尉迟": ("yu", "chi"),
    "万俟": ("mo", "qi"),
    "长孙": ("zhang", "sun"),
    "单于": ("chan", "yu"),
}


def person_key(name: str) -> str:
    """`单晓明` → `shanxiaoming sxm`: the whole name, a space, the initials."""
    syllables = [_reading(character) for character in name]
    if name[:2] in DOUBLE_FAMILY_NAMES:
        syllables[:2] = DOUBLE_FAMILY_NAMES[name[:2]]
    elif name[:1] in FAMILY_NAMES:
        syllables[0] = FAMILY_NAMES[name[0]]
    return _key(syllables)


def place_key(name: str) -> str:
    """`示范一村` → `shifanyicun sfyc`; words give the readings, as in 重庆路."""
    return _key(_pinyin(name))


@cache
def _reading(character: str) -> str:
    return "".join(_pinyin(character))


def _pinyin(text: str) -> list[str]:
    # Its tables take half a second to load, which a web worker never needs.
    from pypinyin import Style, lazy_pinyin

    # A character without a known reading, as in rare names, stands for itself.
    return lazy_pinyin(text, style=Style.NORMAL, errors=list)  # type: ignore[arg-type]


def _key(syllables: list[str]) -> str:
    kept = [syllable.lower() for syllable in syllables if syllable.strip(" ·.")]
    return f"{''.join(kept)} {''.join(syllable[0] for syllable in kept)}"
