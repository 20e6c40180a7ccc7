"""Why something about a list cannot be done; `server/api/problems.py` has the words for each code."""

from __future__ import annotations

from server.bulletins.refusals import Refused

__all__ = ["Refused"]
