"""What readers see of a list: names and numbers masked, unless somebody may see them and said why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.api.masking import mask_value
from server.app import Gridbook
from server.lists import known
from server.lists.importing import Preview
from server.lists.matching import Candidate
from server.lists.outcomes import Decision
from server.lists.reconciling import Reconciled
from server.lists.rows import ListRow, Remark

KINDS = {"name": "name", "id_number": "id", "id_begin": "text", "phone": "phone", "address": "address"}

REMARKED_MAX = 1000


def values(given: Mapping[str, str], in_full: bool) -> dict[str, str]:
    if in_full:
        return dict(given)
    return {name: mask_value(KINDS.get(name), value) for name, value in given.items()}


def remark(each: Remark) -> dict[str, Any]:
    return {"column": each.column, "message": {"zh": each.zh, "en": each.en}}


def decision(last: Decision | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {
        "n": last.n,
        "outcome": last.outcome,
        "candidate": last.candidate,
        "rejected": list(last.rejected),
        "remark": last.remark,
        "decided_at": last.decided_at,
        "decided_by": dict(last.by) if last.by else None,
    }


def row(found: Reconciled, each: ListRow, in_full: bool) -> dict[str, Any]:
    """One row with where it stands; `candidates` are keys and reasons only."""
    last = found.standing.last.get(each.number)
    return {
        "row": each.number,
        "values": values(each.values, in_full),
        "remarks": [remark(one) for one in each.remarks],
        "state": found.standing.state(each.number),
        "decision": decision(last),
        "candidates": [candidate(one) for one in found.candidates.get(each.number, ())],
    }


def candidate(each: Candidate) -> dict[str, Any]:
    return {"key": each.key, "points": each.points, "reasons": list(each.reasons), "sure": each.sure}


def candidates(shared: Gridbook, found: Reconciled, number: int, in_full: bool) -> list[dict[str, Any]]:
    """Who a row may be, each with what the district knows; those that no longer are there are left out."""
    offered = found.candidates.get(number, [])
    told = known.details(shared.readmodel, [each.key for each in offered])
    return [
        {**candidate(each), "values": values(told[each.key], in_full)} for each in offered if each.key in told
    ]


def preview(shown: Preview) -> dict[str, Any]:
    """What was read of a file, before it is kept: names and numbers masked."""
    layout = shown.layout
    remarked = [row for row in layout.rows if row.remarks]
    return {
        "sheet": shown.sheet,
        "sheets": shown.sheets,
        "heads": layout.heads,
        "headings": {str(at): heading for at, heading in layout.headings.items()},
        "untitled": layout.untitled,
        "columns": layout.columns,
        "results": layout.results,
        "names": len(layout.rows),
        "left_out": layout.left_out,
        "notes": [remark(each) for each in layout.notes],
        "rows": [
            {
                "row": row.number,
                "values": values(row.values, False),
                "remarks": [remark(each) for each in row.remarks],
            }
            for row in remarked[:REMARKED_MAX]
        ],
        "remarked": len(remarked),
        "same": shown.same.list_id if shown.same else None,
    }
