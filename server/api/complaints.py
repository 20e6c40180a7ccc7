"""What marshmallow says of a parameter, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# marshmallow's English (as a pattern) -> Chinese. What is not listed stays English: a sentence is better
# than none.
_CHINESE = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Missing data for required field\.", "必填。"),
        (r"Unknown field\.", "没有这个参数。"),
        (r"Not a valid date\.", "不是有效的日期，应为 YYYY-MM-DD。"),
        (r"The year is to be from (\d+) to (\d+)\.", r"年份应在 \1 到 \2 之间。"),
        (r"Not a valid (aware )?datetime\.", "不是有效的时间，应为带时区的 RFC 3339 时间。"),
        (r"Not a valid integer\.", "不是整数。"),
        (r"Not a valid boolean\.", "应为 1 或 0。"),
        (r"Not a valid string\.", "应为文字。"),
        (r"Not a valid list\.", "应为列表。"),
        (r"Invalid input type\.|Invalid JSON body\.", "不是有效的 JSON 对象。"),
        (r"Field may not be null\.", "不能为空。"),
        (r"Must be one of: (.*)\.", r"只能是：\1。"),
        (
            r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
            r"应在 \1 到 \2 之间。",
        ),
        (r"Longer than maximum length (\d+)\.", r"最多 \1 个字。"),
        (r"Length must be between (\d+) and (\d+)\.", r"长度应在 \1 到 \2 之间。"),
        (r"An area code has 6, 9 or 12 digits\.", "区域代码应为 6、9 或 12 位数字。"),
        (r"A village code has 12 digits\.", "村（社区）代码应为 12 位数字。"),
        (r"`from` lies after `to`\.", "起始日期晚于截止日期。"),
        (r"At most 366 days\.", "最多 366 天。"),
    )
)


def localized(errors: Any, language: str) -> Any:
    """`errors` as they came, with every sentence in `language`."""
    if isinstance(errors, Mapping):
        return {str(key): localized(value, language) for key, value in errors.items()}
    if isinstance(errors, list):
        return [localized(each, language) for each in errors]
    return _chinese(str(errors)) if language == "zh" else str(errors)


def _chinese(sentence: str) -> str:
    return next(
        (match.expand(words) for pattern, words in _CHINESE if (match := pattern.fullmatch(sentence))),
        sentence,
    )


def sentences(errors: Any, language: str) -> str:
    """One line: `limit: Must be …; day: Not a valid date.`"""
    colon, stop = ("：", "") if language == "zh" else (": ", " ")
    return stop.join(f"{name}{colon}{words}" for name, words in _leaves(localized(errors, language), ""))


def _leaves(errors: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(errors, Mapping):
        for key, value in errors.items():
            yield from _leaves(value, name if key in ("query", "json", "_schema") else str(key))
    elif isinstance(errors, list):
        for each in errors:
            yield from _leaves(each, name)
    else:
        yield name, str(errors)
