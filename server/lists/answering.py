"""The answer: the list as it came, with the columns of the answer filled as of a cut-off, and numbered."""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from server import clock
from server.api.beijing import local
from server.app import Gridbook
from server.lists import archive, importing, outcomes, reconciling
from server.lists.archive import Answer
from server.lists.outcomes import Decision
from server.lists.reconciling import Reconciled
from server.lists.refusals import Refused
from server.lists.splicing import Cells, written
from server.lists.telling import Tell, silent
from server.lists.template import Template
from server.people.staff import Staff
from server.register import packages, sheets
from server.workbooks.writing import FORMULA_LIKE

MATCH = "系统比对"
STAGE = "answer"


def moment(as_of: datetime | None) -> str:
    """The moment that an answer is as of, now without one. Raises Refused for one to come."""
    now = clock.now()
    if as_of is not None and as_of > now:
        raise Refused("list-as-of-future", at=local(clock.stamp(as_of)))
    return clock.stamp(as_of or now)


def make(
    shared: Gridbook,
    list_id: str,
    member: Staff,
    reason: str,
    as_of: datetime | None = None,
    job: str = "",
    tell: Tell = silent,
) -> Answer:
    """Write down an answer as of that moment, now without one. A `job` that begins anew makes no second one.
    Raises Refused for a moment to come."""
    moment_ = moment(as_of)
    if job and (made_before := _of_job(shared, list_id, job)):
        return made_before
    found = reconciling.reconciled(shared, list_id, as_of=moment_)
    template = importing.template_of(shared, found.head.template)
    tell(0, len(found.rows), STAGE)
    data = filled(archive.source(shared.store, list_id), found, template)
    made = {
        "list_id": list_id,
        "as_of": moment_,
        "made_at": clock.stamp(clock.now()),
        "made_by": {"staff_id": member.staff_id, "name": member.name},
        "counts": found.standing.counts(),
        "digest": hashlib.sha256(data).hexdigest(),
        "reason": reason,
        **({"job": job} if job else {}),
    }
    tell(len(found.rows), len(found.rows), STAGE)
    return archive.keep_answer(shared.store, made, data)


def _of_job(shared: Gridbook, list_id: str, job: str) -> Answer | None:
    return next((each for each in archive.answers(shared.store, list_id) if each.job == job), None)


def filled(source: bytes, found: Reconciled, template: Template) -> bytes:
    """The list's file with its answer columns filled."""
    cells = _cells(found, template)
    with tempfile.TemporaryDirectory(prefix="gridbook-list-") as folder:
        path = Path(folder) / f"list{found.head.suffix}"
        path.write_bytes(source)
        return _csv(path, cells) if found.head.suffix == ".csv" else _xlsx(path, found.head.sheet, cells)


def _cells(found: Reconciled, template: Template) -> Cells:
    """{(row, column): text}: heads of columns that the list lacks, and what was decided about each row. What
    the list says in a column of its own stays where nothing was decided."""
    cells: dict[tuple[int, int], str] = {}
    head = found.head
    for result in template.results:
        if result.value in head.added:
            cells[head.heads[-1], head.results[result.value]] = result.title
    for row in found.rows:
        texts = _texts(found.standing.last.get(row.number), template)
        for value, at in head.results.items():
            if (text := texts.get(value, "")) or value in head.added:
                cells[row.number, at] = text
    return cells


def _texts(decision: Decision | None, template: Template) -> Mapping[str, str]:
    if decision is None or not decision.outcome:
        return {"remark": decision.remark} if decision else {}
    return {
        "outcome": outcomes.words(decision.outcome, "zh", template.outcomes),
        "decided_at": local(decision.decided_at),
        "decided_by": decision.by["name"] if decision.by else MATCH,
        "remark": decision.remark,
    }


def _xlsx(path: Path, sheet: str, cells: Cells) -> bytes:
    member = next(part.member for part in packages.sheets(path) if part.name == sheet)
    target = io.BytesIO()
    written(path, member, cells, target)
    return target.getvalue()


def _csv(path: Path, cells: Cells) -> bytes:
    """In the encoding and with the delimiter that it came with; what it held is written as it was."""
    table = sheets.csv_table(path)
    lines = dict(table.rows)
    for (number, column), text in sorted(cells.items()):
        line = lines[number]
        line += [""] * (column + 1 - len(line))
        line[column] = f"'{text}" if FORMULA_LIKE.match(text) else text
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=table.delimiter).writerows(lines.values())
    return out.getvalue().encode(table.encoding, "replace")
