"""From an uploaded file to a list: read, shown, and only then kept.

What was uploaded waits as a draft in the data folder, readable by the server alone, until somebody has looked
at it and keeps it; a draft that nobody keeps is gone after a day.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from server import clock
from server.api.beijing import ZONE
from server.app import Gridbook
from server.lists import archive, reconciling
from server.lists.archive import NameList
from server.lists.layout import Layout, laid_out
from server.lists.refusals import Refused
from server.lists.telling import Tell, silent
from server.lists.template import Template, templates
from server.people.staff import Staff
from server.register import packages, sheets
from server.register.packages import Facts
from server.register.refusals import FileRefused

UNPACKED_MAX_BYTES = 256 << 20
FILE_MAX_BYTES = 64 << 20
NAMES_MAX = 20_000
CELLS_MAX = 4_000_000
DRAFT_SECONDS = 24 * 3600
DRAFT = re.compile(r"[0-9a-f]{32}\.(csv|xlsx)")
FOLDER = "list-drafts"
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as it would be kept; `sheets` are the workbook's, `same` the list that this file is already."""

    template: Template
    file_name: str
    digest: str
    sheet: str
    sheets: list[str]
    layout: Layout
    same: NameList | None


# Drafts


def draft(shared: Gridbook, file_name: str, upload: IO[bytes]) -> str:
    """Put an upload away, piece by piece, and return the draft's name; of one that breaks off nothing stays.
    Raises FileRefused."""
    suffix = Path(file_name).suffix.lower()
    if suffix == ".xls":
        raise packages.old_workbook(Path(file_name).name[:80])
    if suffix not in (".csv", ".xlsx"):
        shown = Path(file_name).name[:80]
        raise FileRefused(
            f"只能导入 .csv 或 .xlsx 文件：请在 Excel 中打开 {shown}，另存为 .xlsx",
            f"Only .csv and .xlsx can be imported: open {shown} in Excel and save it as .xlsx",
        )
    folder = _drafts(shared)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > DRAFT_SECONDS:
            old.unlink(missing_ok=True)
    path = folder / f"{uuid.uuid4().hex}{suffix}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            shutil.copyfileobj(upload, file, PIECE_BYTES)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.name


def forget(shared: Gridbook, name: str) -> None:
    """Take a draft away; one that is gone already is no mistake."""
    if DRAFT.fullmatch(name):
        (_drafts(shared) / name).unlink(missing_ok=True)


def drafted(shared: Gridbook, name: str) -> Path:
    """Raises Refused for a draft that is gone."""
    path = _drafts(shared) / name
    if not DRAFT.fullmatch(name) or not path.is_file():
        raise Refused("list-draft-gone")
    return path


def _drafts(shared: Gridbook) -> Path:
    folder = shared.settings.data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


# Reading and keeping


def template_of(shared: Gridbook, name: str) -> Template:
    """Raises Refused."""
    found, _ = templates(shared.settings.forms)
    if name not in found:
        raise Refused("list-template-unknown", template=name[:40], known=", ".join(found) or "-")
    return found[name]


def preview(
    shared: Gridbook,
    path: Path,
    template: Template,
    *,
    file_name: str = "",
    sheet: str = "",
    chosen: Mapping[str, int] | None = None,
    tell: Tell = silent,
) -> Preview:
    """What would be kept of the file. Raises FileRefused, which calls the file by `file_name`."""
    tell(0, None, "read")
    try:
        sheets.measure(path, FILE_MAX_BYTES, UNPACKED_MAX_BYTES)
        name, names, layout = _best_sheet(path, template, sheet, chosen or {}, tell)
    except FileRefused as refused:
        raise _calling_it(file_name or path.name, path, refused) from None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if len(layout.rows) > NAMES_MAX:
        raise FileRefused(
            f"共 {len(layout.rows)} 人，最多 {NAMES_MAX} 人：请分成几个文件",
            f"There are {len(layout.rows)} names, and at most {NAMES_MAX} can be: split the file",
        )
    same = next((each for each in archive.every(shared.store) if each.digest == digest), None)
    return Preview(template, file_name or path.name, digest, name, names, layout, same)


def _calling_it(name: str, path: Path, refused: FileRefused) -> FileRefused:
    """A draft's own name says nothing to its reader."""
    return type(refused)(
        *(words.replace(path.name, Path(name).name[:80]) for words in (refused.zh, refused.en))
    )


def _best_sheet(
    path: Path, template: Template, wanted: str, chosen: Mapping[str, int], tell: Tell
) -> tuple[str, list[str], Layout]:
    """The sheet asked for, else the first that holds such a table; hidden ones last."""
    if path.suffix.lower() == ".csv":
        rows = sheets.csv_table(path).rows
        try:
            return "", [], laid_out(rows, Facts(), template, chosen, tell)
        except FileRefused as refusal:
            raise type(refusal)(f"{path.name}：{refusal.zh}", f"{path.name}: {refusal.en}") from None
    parts = sorted(packages.sheets(path), key=lambda each: each.hidden)
    names = [each.name for each in parts]
    if wanted and wanted not in names:
        raise FileRefused(
            f"没有工作表“{wanted[:40]}”，有：{'、'.join(names)}",
            f"There is no sheet {wanted[:40]}; there are {', '.join(names)}",
        )
    refused = packages.unopenable(path.name)
    for part in parts:
        if wanted and part.name != wanted:
            continue
        try:
            facts = packages.facts(path, part.member)
            tell(0, None, "read")
            rows = sheets.sheet_rows(path, part.name, facts, CELLS_MAX)
            return part.name, names, laid_out(rows, facts, template, chosen, tell)
        except FileRefused as refusal:
            refused = _of_sheet(part.name, refusal, [each for each in names if each != part.name])
    raise refused


def _of_sheet(name: str, refusal: FileRefused, others: list[str]) -> FileRefused:
    more_zh = f"（其他工作表：{'、'.join(others)}）" if others else ""
    more_en = f" (further sheets: {', '.join(others)})" if others else ""
    return type(refusal)(f"工作表“{name}”：{refusal.zh}{more_zh}", f"Sheet {name}: {refusal.en}{more_en}")


def keep(
    shared: Gridbook,
    path: Path,
    shown: Preview,
    member: Staff,
    *,
    title: str = "",
    supersedes: str = "",
    job: str = "",
    tell: Tell = silent,
) -> NameList:
    """Match the names and keep the list. A list that `supersedes` another takes over what was decided there
    about rows that are the same. Raises Refused for a file that is a list already.

    What may end it, `tell` above all, comes before the first word is written. A `job` that begins anew
    finishes the list that it had begun to write.
    """
    same = shown.same
    if same is not None and not (job and same.job == job):
        raise archive.already(same)
    before = archive.one(shared.store, supersedes) if supersedes else None
    if before and before.superseded_by and same is None:
        raise Refused("list-superseded", list=before.list_id, by=before.superseded_by)
    now = clock.now()
    looked = reconciling.look(shared, shown.layout.rows, tell)
    made = same or _written(shared, path, shown, member, title, before, job, now)
    if before:
        reconciling.take_over(shared, before.list_id, made.list_id)
    reconciling.settle(shared, made, shown.layout.rows, looked)
    return made


def _written(
    shared: Gridbook,
    path: Path,
    shown: Preview,
    member: Staff,
    title: str,
    before: NameList | None,
    job: str,
    now: datetime,
) -> NameList:
    head = {
        "template": shown.template.name,
        "title": title.strip()[:80] or shown.template.title["zh"],
        "file_name": Path(shown.file_name).name[:120],
        "digest": shown.digest,
        "sheet": shown.sheet,
        "heads": list(shown.layout.heads),
        "columns": dict(shown.layout.columns),
        "results": dict(shown.layout.results),
        "added": [value for value, at in shown.layout.results.items() if at not in shown.layout.headings],
        "names": len(shown.layout.rows),
        "imported_at": clock.stamp(now),
        "imported_by": {"staff_id": member.staff_id, "name": member.name},
        **({"supersedes": before.list_id} if before else {}),
        **({"job": job} if job else {}),
    }
    year = now.astimezone(ZONE).year
    return archive.keep(shared.store, head, path.read_bytes(), shown.layout.rows, year)
