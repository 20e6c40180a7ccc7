"""What requests and answers about relief, disinfection and stock look like."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from server.api.shapes import SHORT, AreaQuery, Figures, FiguresRow, Page, PageQuery, note
from server.readmodel.relief_queries import SORTS, STANDINGS


def sorting(names: object) -> fields.String:
    """A field that takes one of the orders by name, with `-` before it for falling."""
    known = [sign + str(name) for name in names for sign in ("", "-")]  # type: ignore[attr-defined]
    return fields.String(
        load_default=known[0], validate=validate.OneOf(known), metadata=note("`-` before it: falling.")
    )


class ReliefQuery(AreaQuery):
    campaign = fields.String(
        validate=SHORT, metadata=note("One campaign's; of all without it.", example="aixin-2020")
    )


class Relief(Figures):
    campaign = fields.String(allow_none=True, required=True)
    items = fields.List(
        fields.Nested(FiguresRow), required=True, metadata=note("the same of each area right inside")
    )


class ReliefEntriesQuery(ReliefQuery, PageQuery):
    state = fields.String(
        load_default=STANDINGS[0],
        validate=validate.OneOf(STANDINGS),
        metadata=note("`outstanding` is whatever has not got everything: `open` (nothing) and `partial`."),
    )
    sort = sorting(SORTS)


class ReliefEntry(Schema):
    roster_entry_id = fields.String(required=True)
    campaign_id = fields.String(allow_none=True, required=True)
    town_code = fields.String(required=True)
    village_code = fields.String(required=True)
    entry = fields.Dict(required=True, metadata=note("as the register has it; names masked"))
    state = fields.String(required=True, validate=validate.OneOf(["open", "partial", "done"]))
    over = fields.Boolean(required=True, metadata=note("got more than its entitlement of some item"))
    delivered = fields.List(fields.Dict(), required=True, metadata=note("[{item_code, qty}]"))
    attempts = fields.Integer(required=True, metadata=note("delivery records that count"))
    active_from = fields.String(required=True, metadata=note("on the roster since"))
    waiting_days = fields.Integer(
        allow_none=True, required=True, metadata=note("since `active_from`, of what is outstanding")
    )
    last_result = fields.String(metadata=note("of the last delivery, as the form names it"))
    last_reason = fields.String(metadata=note("why the last one was not delivered"))
    retry_at = fields.String(metadata=note("when another attempt was agreed on"))


class ReliefEntries(Page):
    items = fields.List(fields.Nested(ReliefEntry), required=True)
