"""What requests and answers about relief, disinfection and stock look like."""

from __future__ import annotations

from collections.abc import Iterable

from marshmallow import Schema, fields, validate

from server.api.shapes import (
    SHORT,
    Area,
    AreaQuery,
    DayQuery,
    Figure,
    Figures,
    FiguresRow,
    Page,
    PageQuery,
    note,
)
from server.app import gridbook
from server.readmodel.disinfection_queries import POINT_SORTS, RECORD_SORTS, findings
from server.readmodel.disinfection_queries import STANDINGS as POINT_STANDINGS
from server.readmodel.relief_queries import SORTS, STANDINGS
from server.readmodel.stock_queries import SORTS as STOCK_SORTS


def sorting(names: Iterable[str], first: str = "") -> fields.String:
    """A field that takes one of the orders by name, with `-` before it for falling; `first` by default."""
    known = [sign + name for name in names for sign in ("", "-")]
    return fields.String(
        load_default=first or known[0],
        validate=validate.OneOf(known),
        metadata=note("`-` before it: falling."),
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


class PointsStanding(Schema):
    due = fields.Integer(required=True, metadata=note("active points"))
    overdue = fields.Integer(
        required=True, metadata=note("whose own interval has run out, those never disinfected included")
    )
    never = fields.Integer(required=True, metadata=note("never disinfected"))


class DisinfectionRow(Schema):
    area = fields.Nested(Area, metadata=note("an area right inside"))
    point = fields.Dict(metadata=note("of a village: {id, name, village_code, registered}"))
    figures = fields.Dict(keys=fields.String(), values=fields.Nested(Figure), required=True)
    standing = fields.Nested(PointsStanding, required=True)


class Disinfection(Figures):
    at = fields.String(required=True, metadata=note("the moment of `standing`"))
    standing = fields.Nested(PointsStanding, required=True)
    items = fields.List(
        fields.Nested(DisinfectionRow),
        required=True,
        metadata=note("the same of each area right inside; of a village, of each point"),
    )


class PointListQuery(AreaQuery, PageQuery):
    state = fields.String(
        load_default=POINT_STANDINGS[0],
        validate=validate.OneOf(POINT_STANDINGS),
        metadata=note("At this moment, by each point's own interval; `overdue` includes `never`."),
    )
    sort = sorting(POINT_SORTS)


class PointItem(Schema):
    point_id = fields.String(required=True)
    town_code = fields.String(required=True)
    village_code = fields.String(required=True)
    entry = fields.Dict(required=True, metadata=note("as the register has it"))
    last_ended_at = fields.String(metadata=note("absent when it was never disinfected"))
    next_due = fields.String()
    hours_since = fields.Float(allow_none=True, required=True, metadata=note("since the last disinfection"))
    overdue = fields.Boolean(required=True)


class PointList(Page):
    at = fields.String(required=True)
    items = fields.List(fields.Nested(PointItem), required=True)


def _is_finding(given: str) -> None:
    validate.OneOf(findings(gridbook().declaration))(given)


class DisinfectionsQuery(DayQuery, PageQuery):
    finding = fields.String(
        load_default="all",
        metadata=note("`wrong` or `right`: the mix; `hints`: of misuse, or one rule's such as `V024`."),
        validate=_is_finding,
    )
    sort = sorting(RECORD_SORTS, "-time")


class DisinfectionItem(Schema):
    record_id = fields.String(required=True)
    work_date = fields.String(required=True)
    town_code = fields.String(required=True)
    village_code = fields.String(required=True)
    point_id = fields.String(allow_none=True, required=True, metadata=note("null for an ad-hoc place"))
    ended_at = fields.String(allow_none=True, required=True)
    agent = fields.String(allow_none=True, required=True)
    method = fields.String(allow_none=True, required=True)
    target_mgl = fields.Float(allow_none=True, required=True, metadata=note("chlorine that was aimed at"))
    conc_mgl = fields.Float(allow_none=True, required=True, metadata=note("chlorine that was mixed"))
    conc_ok = fields.String(allow_none=True, required=True, metadata=note("yes, no, or null: no mix"))
    area_m2 = fields.Float(allow_none=True, required=True)
    solution_l = fields.Float(allow_none=True, required=True)
    lpm2 = fields.Float(allow_none=True, required=True, metadata=note("litres a square metre sprayed"))
    hints = fields.List(fields.String(), required=True, metadata=note("rules of misuse that it broke"))


class DisinfectionRecords(Page):
    day = fields.Date(required=True)
    items = fields.List(fields.Nested(DisinfectionItem), required=True)


class StockQuery(AreaQuery):
    item = fields.String(validate=SHORT, metadata=note("One item's lines.", example="MASK"))


class Stock(Figures):
    items = fields.List(
        fields.Nested(FiguresRow),
        required=True,
        metadata=note("the same of each area right inside; parts are `<item> <unit>`"),
    )


class StoresQuery(StockQuery, PageQuery):
    differing = fields.Boolean(
        load_default=False,
        metadata=note("1: only lines below zero, or counted otherwise than the books say."),
    )
    sort = sorting(STOCK_SORTS)


class Stocktake(Schema):
    qty = fields.Float(required=True)
    before = fields.Float(metadata=note("what the books said; absent for a first count"))
    difference = fields.Float(metadata=note("counted less books"))
    work_date = fields.String(required=True)
    record_id = fields.String(required=True)
    filler_id = fields.String(allow_none=True, required=True, metadata=note("who counted"))
    counted_at = fields.String(allow_none=True, required=True)


class StockLine(Schema):
    item_code = fields.String(required=True)
    unit = fields.String(required=True)
    qty = fields.Float(required=True, metadata=note("the balance: counted, and what was moved since"))
    tallies = fields.Boolean(required=True)
    since = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        required=True,
        metadata=note("stock_in, stock_out, stock_used, stock_damaged since the last stocktake"),
    )
    counted = fields.Nested(Stocktake, metadata=note("the last stocktake; absent when there was none"))


class Store(Schema):
    station_id = fields.String(required=True)
    name = fields.String(required=True)
    town_code = fields.String(required=True)
    village_code = fields.String(required=True)
    registered = fields.Boolean(required=True)
    lines = fields.List(fields.Nested(StockLine), required=True)


class StoreList(Page):
    items = fields.List(fields.Nested(Store), required=True)
