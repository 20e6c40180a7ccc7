"""The rules that only the server can apply to a record by itself: one catalogue of severity and message."""

from __future__ import annotations

from typing import Any

CATALOGUE: dict[str, tuple[str, str, str]] = {
    "NOT_A_RECORD": ("E", "这不是一条表单记录，无法登记", "This is not a record of a form"),
    "RECORD_ID": ("E", "记录编号格式不对", "The record's id has the wrong shape"),
    "RECORD_ID_MISMATCH": (
        "E",
        "记录编号与表单或工作日期不一致",
        "The record's id does not fit its form and work date",
    ),
    "TOO_LARGE": ("E", "记录过大，无法检查", "The record is too large to be checked"),
    "INTAKE_FAILED": (
        "E",
        "检查时出错，已保留待处理",
        "Checking failed; the record is kept for staff to look at",
    ),
    "SECOND_REVISION": (
        "E",
        "记录提交后不能改写或删除，请另填一条更正记录",
        "A sent record cannot be rewritten or deleted; send a correction instead",
    ),
    "V001": ("E", "表单版本未知，请更新后重传", "Unknown form or version; update the app and send it again"),
    "V003": ("F", "手机时间不准", "The phone's clock is wrong"),
    "V004": (
        "E",
        "村代码无效，或不是本设备的责任区",
        "The village is unknown, not active, or not this device's",
    ),
    "FOREIGN_DEVICE": (
        "E",
        "记录以另一台设备的名义提交",
        "The record was handed in under another device's name",
    ),
    "FILLER": (
        "E",
        "填报人不在本村名册或不属于本设备",
        "The filler is not in this village's register or not of this device",
    ),
    "ATTACHMENT_MISSING": (
        "W",
        "照片或录音没有传到",
        "A photo or recording that the record names did not arrive",
    ),
    "SUPERSEDES_FOREIGN": (
        "E",
        "不能更正其他村的记录",
        "A record of a village that is not this device's cannot be corrected",
    ),
    "SUPERSEDES_FORM": (
        "E",
        "更正记录须用同一表单",
        "A correction must be of the same form as the record it replaces",
    ),
    "SUPERSEDES_CYCLE": ("E", "更正记录不能互相更正", "Records cannot correct each other in a circle"),
    "SUPERSEDES_OTHER_DEVICE": ("F", "更正了另一台设备的记录", "It corrects a record of another device"),
    "SIBLING_CORRECTION": (
        "F",
        "同一记录有两份更正，以后一份为准",
        "One record was corrected twice; the later correction counts",
    ),
    "CORRECTS_VOIDED": (
        "F",
        "更正了工作人员已作废的记录，更正后计入",
        "It corrects a record that staff voided, and counts",
    ),
    "GPS_FAR": ("F", "定位离登记位置过远", "The position is far from the registered one"),
}


def problem(rule: str, path: str = "", *, severity: str | None = None) -> dict[str, Any]:
    """A problem as verdicts hold it: {rule, severity, path, message:{zh, en}}."""
    usual, zh, en = CATALOGUE[rule]
    return {"rule": rule, "severity": severity or usual, "path": path, "message": {"zh": zh, "en": en}}
