"""A file that is only ever written, for libraries that want one: what was written is taken away piece by
piece."""

from __future__ import annotations

import io

PIECE_BYTES = 1 << 18


class Sink(io.RawIOBase):
    """Neither seeks nor tells, so that a zip is written with its sizes behind its members."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.waiting_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        self.waiting_bytes += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting_bytes = 0
        return taken
