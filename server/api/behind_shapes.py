"""Shapes of what stands behind a figure."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from server.api.shapes import SHORT, Area, DayQuery, Page, PageQuery, note
from server.readmodel.queries import NO_GRID, SIDES, SPANS

GRID = validate.Regexp(rf"^(\d{{14}}|{NO_GRID})$", error=f"A grid's code has 14 digits, or is `{NO_GRID}`.")


class BehindQuery(DayQuery, PageQuery):
    indicator = fields.String(
        required=True,
        validate=SHORT,
        metadata=note("An indicator's id, as `GET /indicators` lists them.", example="A3"),
    )
    of = fields.String(
        validate=validate.OneOf(SIDES),
        metadata=note("Which of the figure's numbers; by default the first that it has.", example="value"),
    )
    part = fields.String(
        validate=SHORT, metadata=note("One of the figure's `parts`, such as an item, a rule or a range.")
    )
    span = fields.String(
        load_default="day",
        validate=validate.OneOf(SPANS),
        metadata=note("`week`: what is counted by day, of the seven days that end with the day."),
    )
    grid = fields.String(
        validate=GRID,
        metadata=note(f"With a village: one of its grids; `{NO_GRID}` for what lies in none."),
    )


class RecordBehind(Schema):
    record_id = fields.String(required=True)
    form_id = fields.String(required=True)
    work_date = fields.String(required=True)
    village_code = fields.String(required=True)


class UnitBehind(Schema):
    kind = fields.String(
        required=True, metadata=note("household, point, roster_entry, station, person or filler_day")
    )
    id = fields.String(required=True, metadata=note("empty for a person"))
    town_code = fields.String(required=True)
    village_code = fields.String(required=True, metadata=note("where it counts"))
    grid_code = fields.String(required=True, metadata=note(f"or `{NO_GRID}`"))
    household_id = fields.String(allow_none=True, metadata=note("of a person's last record"))
    registered = fields.Boolean(metadata=note("whether the register lists it; of units only"))
    amount = fields.Float(required=True, metadata=note("what it adds to the number"))
    parts = fields.Dict(keys=fields.String(), values=fields.Float(), metadata=note("the same by range"))
    entry = fields.Dict(metadata=note("as the register has it, masked; absent for what only records know"))
    state = fields.Dict(metadata=note("what the records that count leave it as"))
    answers = fields.Dict(metadata=note("what the last record says of a person, masked"))
    records = fields.List(
        fields.Nested(RecordBehind),
        required=True,
        metadata=note("those that the number counts, in your area, the latest first, at most 10"),
    )


class Behind(Page):
    items = fields.List(fields.Nested(UnitBehind), required=True)
    area = fields.Nested(Area, required=True)
    day = fields.Date(required=True)
    indicator = fields.String(required=True)
    of = fields.String(required=True, validate=validate.OneOf(SIDES))
    part = fields.String(required=True, allow_none=True)
    span = fields.String(required=True, validate=validate.OneOf(SPANS))
    grid = fields.String(required=True, allow_none=True)
    figure = fields.Float(required=True, metadata=note("the number as `GET /figures` tells it"))
    sum = fields.Float(
        required=True,
        allow_none=True,
        metadata=note("of the amounts of all rows; null where they are too many to add up: ask for a town"),
    )
    units = fields.Integer(
        required=True, allow_none=True, metadata=note("how many rows there are in all, or null likewise")
    )
