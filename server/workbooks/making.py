"""From a question to a finished workbook: made in a private folder that is gone when the file is read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any

from server import clock
from server.api.beijing import local
from server.api.catalogue import forms
from server.app import Gridbook
from server.bulletins import archive, freezing
from server.readmodel import queries
from server.workbooks import library
from server.workbooks.asked import Asked
from server.workbooks.template import Template
from server.workbooks.writing import Sheet, Workbook


def templates(shared: Gridbook) -> tuple[dict[str, Template], list[str]]:
    return library.templates(shared.settings.forms, library.known(shared.declaration, forms().versions))


def day_content(shared: Gridbook, day: date) -> dict[str, Any]:
    """The day's bulletin in force; before there is one, the preview."""
    frozen = archive.in_force(archive.every(shared.store), day.isoformat())
    return archive.content(shared.store, frozen.number) if frozen else freezing.preview(shared, day)


def asked(
    shared: Gridbook,
    area: Mapping[str, Any],
    day: date,
    content: Mapping[str, Any] | None,
    *,
    language: str = "zh",
    in_full: bool = False,
) -> Asked:
    now = clock.stamp(clock.now())
    told = {**(content or {}), "filled_at": local(now)}
    if content:
        told["counted_until"] = local(content["as_of"])
    names = {each["code"]: each["name"] for each in queries.areas(shared.readmodel)}
    return Asked(
        shared.readmodel, area, day.isoformat(), now, told, forms().versions, names, language, in_full
    )


def workbook(shared: Gridbook, sheets: Sequence[Callable[[], Sheet]]) -> IO[bytes]:
    """An open file that exists nowhere by name. Raises TooLong."""
    with tempfile.TemporaryDirectory(dir=shared.settings.data, prefix=".workbook-") as folder:
        path = Path(folder) / "workbook.xlsx"
        with Workbook(path) as book:
            for make in sheets:
                book.add(make())
        return open(path, "rb")
