"""REST under /api/v1: everything that the staff pages show, for programs. `docs/api.md` is its guide."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Mount the API on `app`, with its description at /api/v1/openapi.json."""
    from server.api.application import mount

    mount(app)
