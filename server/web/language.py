"""The pages' words: two catalogues, zh and en, and which one the reader wants.

The reader's choice is the cookie `lang`; without it Chinese, unless the browser asks for English and not
for Chinese.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Request, g, has_request_context, request

LANGUAGES = ("zh", "en")
COOKIE = "lang"
FOLDER = Path(__file__).parent / "i18n"


@cache
def catalogue(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return words


def wanted(incoming: Request) -> str:
    chosen = incoming.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return incoming.accept_languages.best_match(["zh", "en"], default="zh") or "zh"


def current() -> str:
    if not has_request_context():
        return "zh"
    if "language" not in g:
        g.language = wanted(request)
    return str(g.language)


def translate(key: str, **values: Any) -> str:
    """The words for `key` in the reader's language; a key without words shows itself, and the tests find
    it."""
    words = catalogue(current()).get(key, key)
    return words.format(**values) if values else words


def pick(words: Any) -> str:
    """The reader's language out of {"zh", "en"}; a plain string is itself."""
    if isinstance(words, dict):
        return str(words.get(current()) or words.get("zh") or words.get("en") or "")
    return "" if words is None else str(words)
