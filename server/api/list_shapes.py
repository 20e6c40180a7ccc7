"""What requests and answers about superiors' lists look like."""

from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import RAISE, Schema, fields, validate

from server.api.shapes import Moment, Page, PageQuery, UnmaskQuery, Words, note
from server.lists.outcomes import OUTCOMES, STATES

TITLE = validate.Length(max=80)
KEY = validate.Length(max=400)


class Strict(Schema):
    class Meta:
        unknown = RAISE


class Remark(Schema):
    column = fields.String(required=True, metadata=note("a field; empty for the row as a whole"))
    message = fields.Nested(Words, required=True)


class ListHead(Schema):
    list_id = fields.String(required=True, metadata=note("year and number within it", example="2020-0003"))
    template = fields.String(required=True)
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    digest = fields.String(required=True, metadata=note("SHA-256 of the file, hex"))
    sheet = fields.String(required=True)
    names = fields.Integer(required=True, metadata=note("how many rows are to be answered"))
    imported_at = fields.String(required=True)
    imported_by = fields.Dict(required=True, metadata=note("{staff_id, name}"))
    supersedes = fields.String(allow_none=True)
    superseded_by = fields.String(allow_none=True)
    counts = fields.Dict(
        keys=fields.String(validate=validate.OneOf(STATES)),
        values=fields.Integer(),
        metadata=note("rows by outcome, `open` those without; they sum to the rows of your area"),
    )


class ListList(Schema):
    items = fields.List(fields.Nested(ListHead), required=True)


class Answer(Schema):
    n = fields.Integer(required=True)
    as_of = fields.String(required=True, metadata=note("decisions up to this moment count"))
    made_at = fields.String(required=True)
    made_by = fields.Dict(required=True)
    counts = fields.Dict(required=True)
    digest = fields.String(required=True, metadata=note("SHA-256 of the file, hex"))


class OneList(ListHead):
    matched_at = fields.String(required=True)
    answers = fields.List(fields.Nested(Answer), required=True)


class ListFile(Strict):
    file = Upload(required=True, metadata=note("an .xlsx or .csv"))


class ListImport(Strict):
    template = fields.String(
        required=True, metadata=note("a file's name in forms/lists", example="returnees")
    )
    title = fields.String(
        validate=TITLE, metadata=note("what the list is called; the file's title by default")
    )
    sheet = fields.String(validate=TITLE, metadata=note("the first with such a table by default"))
    supersedes = fields.String(validate=TITLE, metadata=note("the list that this one corrects"))
    columns = fields.String(
        validate=validate.Regexp(
            r"^([a-z_]+:(-1|\d{1,3}))(,[a-z_]+:(-1|\d{1,3}))*$", error="Write name:1,phone:3."
        ),
        metadata=note("which column (from 0; -1 for none) a field has", example="name:1,id_number:2"),
    )
    dry_run = fields.Boolean(metadata=note("1: say what would be kept, keep nothing"))


class RowQuery(PageQuery, UnmaskQuery):
    outcome = fields.String(
        validate=validate.OneOf(STATES), metadata=note("rows that stand so; `open` those without an outcome")
    )


class Candidate(Schema):
    key = fields.String(required=True)
    points = fields.Integer(required=True)
    reasons = fields.List(fields.String(), required=True)
    sure = fields.Boolean(required=True)


class Row(Schema):
    row = fields.Integer(required=True, metadata=note("the row in the sheet"))
    values = fields.Dict(required=True)
    remarks = fields.List(fields.Nested(Remark), required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    decision = fields.Dict(allow_none=True)
    candidates = fields.List(fields.Nested(Candidate), required=True)


class FullCandidate(Candidate):
    values = fields.Dict(required=True, metadata=note("what the register or the last record says"))


class FullRow(Row):
    candidates = fields.List(fields.Nested(FullCandidate), required=True)


class RowPage(Page):
    items = fields.List(fields.Nested(Row), required=True)


class Decide(Strict):
    seen = fields.Integer(
        required=True,
        validate=validate.Range(min=0),
        metadata=note("`n` of the decision you saw; 0 for none"),
    )
    outcome = fields.String(
        validate=validate.OneOf(OUTCOMES), metadata=note("without one the row is open again")
    )
    candidate = fields.String(validate=KEY, metadata=note("who it is: a candidate's key"))
    rejected = fields.List(fields.String(validate=KEY), validate=validate.Length(max=20))
    remark = fields.String(validate=validate.Length(max=200))


class Decided(Schema):
    n = fields.Integer(required=True)
    outcome = fields.String(allow_none=True)
    decided_at = fields.String(required=True)


class MakeAnswer(Strict):
    as_of = Moment(metadata=note("now by default"))
    reason = fields.String(required=True, validate=validate.Length(min=4, max=200))


class AnswerQuery(Strict):
    reason = fields.String(metadata=note("what the file is for, 4 to 200 characters; put on record"))
