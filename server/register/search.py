"""Search keys by pinyin, so that a phone finds 单晓明 by `shanxm`-like typing without a pinyin table of its own."""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin

# Characters that are read differently as a family name.
FAMILY_NAMES = {
    "单": "shan", "解": "xie", "曾": "zeng", "仇": "qiu", "区": "ou", "查": "zha", "朴": "piao", "盖": "ge", "任": "ren",
    "华": "hua", "纪": "ji", "宁": "ning", "缪": "miao", "翟": "zhai", "覃": "qin", "乐": "yue", "员": "yun", "尉": "wei",
    "种": "chong", "逄": "pang", "折": "she", "洗": "xian", "隗": "wei", "葛": "ge", "召": "shao",
}  # fmt: skip


def person_key(name: str) -> str:
    """`单晓明` → `shanxiaoming sxm`: the whole name, a space, the initials."""
    syllables = _syllables(name)
    if syllables and name[:1] in FAMILY_NAMES:
        syllables[0] = FAMILY_NAMES[name[:1]]
    return _key(syllables)


def place_key(name: str) -> str:
    """`示范一村` → `shifanyicun sfyc`"""
    return _key(_syllables(name))


def _syllables(name: str) -> list[str]:
    # A character without a known reading, as in rare names, stands for itself.
    return [part.strip().lower() for part in lazy_pinyin(name, style=Style.NORMAL, errors=list) if part.strip(" ·.")]


def _key(syllables: list[str]) -> str:
    return f"{''.join(syllables)} {''.join(syllable[0] for syllable in syllables)}"
