"""Who saw personal data in full, and why: one JSON line for each, only ever appended, in the data folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "unmasked.log"


def append(data: Path, line: dict[str, str]) -> None:
    """On disk before it returns. One write of a short line is whole also when several processes append."""
    text = json.dumps(line, ensure_ascii=False) + "\n"
    descriptor = os.open(data / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, text.encode("utf-8", "replace"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
