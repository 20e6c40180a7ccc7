"""Style, icon and built scripts under /assets/, addressed by digest so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory

FOLDER = Path(__file__).parent / "static"
A_YEAR_S = 365 * 24 * 3600


def register(app: Flask) -> None:
    app.add_url_rule("/assets/<path:path>", "assets", serve)
    app.jinja_env.globals.update(asset=address, asset_exists=lambda path: (FOLDER / path).is_file())


def serve(path: str) -> Response:
    """Named by digest (in the query or in the file's own name): for ever; otherwise asked for anew."""
    kept = "v" in request.args or path.startswith("dist/chart-")
    response = send_from_directory(FOLDER, path, max_age=A_YEAR_S if kept else 0)
    if kept:
        response.cache_control.immutable = True
    return response


def address(path: str) -> str:
    file = FOLDER / path
    return f"/assets/{path}?v={_digest(file, file.stat().st_mtime_ns)}"


@lru_cache(maxsize=64)
def _digest(file: Path, changed_ns: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
