"""What every record carries besides its answers. `forms/envelope.json` may declare any of these questions
itself; what it leaves out is added here, so that expressions can always refer to it."""

from typing import Any

STRUCTURE = frozenset(
    {"_id", "_rev", "_attachments", "_revisions", "type", "form_id", "form_version", "answers", "confirmed"}
)
"""Members of a record that no question fills; `check_record` leaves them to intake."""

_FILLED_BY_THE_APP = {
    "form_id": "hidden",
    "form_version": "hidden",
    "work_date": "date",
    "captured_at": "dateTime",
    "started_at": "start",
    "ended_at": "end",
    "clock_skew_s": "decimal",
    "device_id": "deviceid",
    "filler_id": "username",
    "filler_role": "hidden",
    "town_code": "hidden",
    "village_code": "hidden",
    "grid_code": "hidden",
    "supersedes": "hidden",
}


def missing_rows(declared: set[str]) -> list[dict[str, Any]]:
    """Rows for the questions that the envelope does not declare."""
    return [
        {"type": kind, "name": name, "appearance": "hidden", "label": {"zh": name, "en": name}}
        for name, kind in _FILLED_BY_THE_APP.items()
        if name not in declared
    ]


def app_names() -> frozenset[str]:
    return _NAMES


_NAMES = frozenset(_FILLED_BY_THE_APP)
