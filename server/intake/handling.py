"""A batch in one transaction: its changes go into the read model, units are counted, registers are told."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from server.intake import register_changes
from server.intake.answers import Outcome
from server.intake.batches import Batch, Changes
from server.intake.feed import Own
from server.intake.inbox import take_in
from server.intake.rejudging import recheck, review_records
from server.intake.tools import Tools
from server.readmodel.mentions import mentioned_by
from server.readmodel.recount import Counting, Shown, UnitKey, recount
from server.readmodel.tables import checkpoints
from server.readmodel.upsert import upsert

Finish = Callable[[Connection, Outcome, set[UnitKey]], Own]


def handle(tools: Tools, connection: Connection, handed: Batch, finish: Finish, *, fresh: bool) -> Own:
    """Returns what intake wrote itself. `finish` counts what was touched and tells the registers; what
    follows in the transaction is its commit. `fresh`: forms that appear may answer records that were waiting
    for them; the first ones come before any record."""
    batch = handed.changes
    touched: set[UnitKey] = set()
    outcome = Outcome()
    if "catalogue" in batch:
        touched |= register_changes.catalogue(
            connection, tools.lookups, tools.declaration, batch["catalogue"]
        )
    reviewed = (
        register_changes.office(connection, tools.lookups, batch["office"]) if "office" in batch else set()
    )
    for name, rows in batch.items():
        if name.startswith("register-"):
            village = name.removeprefix("register-")
            touched |= register_changes.one_register(
                connection, tools.lookups, tools.declaration, village, rows
            )
    inboxes = {name: rows for name, rows in batch.items() if name.startswith("inbox-")}
    if inboxes:
        outcome = take_in(tools, connection, inboxes, handed.ready)
    review_records(tools, connection, reviewed, outcome)
    for form_id in _new_forms(batch) if fresh else ():
        again = recheck(tools, connection, form_id)
        outcome.units |= again.units
        outcome.records |= again.records
        outcome.answers |= again.answers
    own = finish(connection, outcome, touched)
    upsert(connection, checkpoints, handed.checkpoints())
    return own


def _new_forms(batch: Changes) -> set[str]:
    docs = [
        change.doc for change in batch.get("catalogue", []) if change.doc and change.id.startswith("form:")
    ]
    return {doc["form_id"] for doc in docs if isinstance(doc.get("form_id"), str)}


def count(tools: Tools, connection: Connection, outcome: Outcome, touched: set[UnitKey]) -> list[Shown]:
    """Count what a batch touched; returns what the registers should show of it."""
    mentioned = mentioned_by(connection, outcome.records)
    return recount(counting(tools, connection), touched | outcome.units | mentioned)


def counting(tools: Tools, connection: Connection) -> Counting:
    lookups = tools.lookups
    return Counting(connection, tools.declaration, lookups.settings(connection), lookups.tree(connection))
