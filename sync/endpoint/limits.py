"""How much one request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds, the rest in items. What is beyond a limit is answered with 413 or
    400.
    """

    body_bytes_max: int = 16 * 1024 * 1024
    keys_max: int = 50_000  # documents, ids or revisions named in one body
    page_rows: int = 500  # rows read at once while an answer is streamed
    feed_s_max: float = 900.0  # a longer feed ends, and the client asks again with its credential of that day
    timeout_s: float = 60.0  # a feed's patience when the client names none
    heartbeat_s_min: float = 0.1
