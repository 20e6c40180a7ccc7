"""What a database may be called."""

from __future__ import annotations

import re

from sync.store import IllegalDatabaseName

NAME_CHARACTERS_MAX = 238

_NAME = re.compile(r"[a-z][a-z0-9_$()+/-]*")


def check_database_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS_MAX:
        raise IllegalDatabaseName(
            f"Name: '{name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters"
            " _, $, (, ), +, -, and / are allowed. Must begin with a letter."
        )
