"""Who may do what, and where: one table, read by one pure function.

A staff member has roles and one area (district, town or village code). An action is allowed when one of the
roles has it, the API token in use (if any) was given it, and the area asked about lies inside the member's.
Devices act only through sync; `sync_access` says on which databases.
"""

from __future__ import annotations

from typing import Any

from sync.access import Access

ACTIONS = {
    "figures.read": ("看统计", "read figures and bulletins"),
    "records.read": ("看记录", "read records and quarantine"),
    "records.review": ("审核记录", "return, accept or void records"),
    "exceptions.handle": ("处理异常", "take, assign and resolve exceptions"),
    "register.read": ("看台账", "read registers"),
    "register.write": ("改台账", "change registers"),
    "nil.report": ("登记零报告", "enter nil reports of villages"),
    "lists.reconcile": ("核查上级名单", "reconcile superiors' lists"),
    "export.masked": ("导出（脱敏）", "export with names and numbers masked"),
    "export.unmasked": ("导出（不脱敏）", "export in full"),
    "bulletin.freeze": ("发布日报", "freeze and correct bulletins"),
    "devices.manage": ("管理手机", "list and revoke devices"),
    "enrolment.create": ("发放入网码", "make enrolment codes"),
    "staff.manage": ("管理人员", "add and disable staff"),
    "forms.publish": ("发布表单", "publish forms"),
    "webhooks.manage": ("管理事件推送", "manage webhooks"),
    "system.read": ("看系统状态", "see how the server is"),
    "system.rebuild": ("重算全部数字", "have all figures made again"),
}

_READ = {"figures.read", "records.read", "register.read", "export.masked"}
_DESK = {"records.review", "exceptions.handle", "register.write", "lists.reconcile", "nil.report"}
_FIELD = {"devices.manage", "enrolment.create"}

ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "administrator": (
        "系统管理员",
        frozenset(
            {
                "figures.read",
                "register.read",
                "register.write",
                "staff.manage",
                "forms.publish",
                "webhooks.manage",
                "system.read",
                "system.rebuild",
            }
            | _FIELD
        ),
    ),
    "district_staff": (
        "区级工作人员（指挥部）",
        frozenset(_READ | _FIELD | _DESK | {"export.unmasked", "forms.publish", "bulletin.freeze"}),
    ),
    "town_staff": ("镇（街道）工作人员", frozenset(_READ | _FIELD | _DESK)),
    "village_cadre": ("村（社区）干部", frozenset(_READ | {"exceptions.handle", "nil.report"})),
    "inspector": ("督导员", frozenset(_READ)),
    "civil_affairs": ("民政", frozenset(_READ | {"register.write"})),
    "village_doctor": ("村医/卫生院", frozenset({"figures.read", "records.read"})),
    "grid_volunteer": ("网格志愿者", frozenset({"figures.read"})),
    "checkpoint_staff": ("卡口值守员", frozenset({"figures.read"})),
    "police": ("民警", frozenset({"figures.read"})),
    "enterprise_liaison": ("包企干部", frozenset({"figures.read"})),
    "price_monitor": ("价格监测员", frozenset({"figures.read"})),
    "project_dept": ("责任部门", frozenset({"figures.read"})),
}


def covers(area: str, code: str) -> bool:
    """Whether the area with code `code` is `area` or inside it: a code begins with its parent's."""
    return code.startswith(area)


def may(principal: Any, action: str, area_code: str | None = None) -> bool:
    """Whether `principal` may do `action` in `area_code`; without a code, anywhere at all.

    `principal` is a Staff, a Device, a SyncAdmin or None. Raises KeyError for an action that does not exist.
    """
    ACTIONS[action]
    if action not in _actions_of(principal):
        return False
    return area_code is None or covers(principal.area, area_code)


def _actions_of(principal: Any) -> frozenset[str]:
    granted = frozenset[str]().union(
        *(ROLES[role][1] for role in getattr(principal, "roles", ()) if role in ROLES)
    )
    scopes = getattr(principal, "scopes", None)
    return granted if scopes is None else granted & scopes


def sync_access(principal: Any, database_name: str) -> Access:
    """What `principal` may do with the database; `""` asks about the server as a whole."""
    if getattr(principal, "sync_admin", False):
        return Access.ADMIN
    kind, _, village = database_name.partition("-")
    if not hasattr(principal, "device_id"):
        return Access.NONE
    if database_name == "catalogue" or (kind == "register" and village in principal.villages):
        return Access.READ
    if kind == "inbox" and village in principal.villages:
        return Access.PUSH
    return Access.NONE
