"""What requests and answers look like; flask-smorest writes the OpenAPI page from these."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from server.exports.formats import FORMATS
from server.intake.asked_rebuild import STATES as REBUILD_STATES
from server.readmodel.sides import SIDES
from server.villages.nil_reports import MOVES, NOTE_LENGTH_MAX

LIMIT_DEFAULT = 50
LIMIT_MAX = 500
CODE = validate.Regexp(r"^\d{6}(\d{3}(\d{3})?)?$", error="An area code has 6, 9 or 12 digits.")
SHORT = validate.Length(max=200)
YEAR_FIRST, YEAR_LAST = 2000, 2999


def note(text: str, **more: object) -> dict[str, object]:
    return {"description": text, **more}


class Query(Schema):
    """Base of all queries: an unknown parameter is a mistake and is named."""

    class Meta:
        unknown = RAISE


class Words(Schema):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class Day(fields.Date):
    """A day to count. A year that is only half typed, as date boxes send it, is a mistake."""

    def _deserialize(self, *given: Any, **more: Any) -> Any:
        return _of_these_years(super()._deserialize(*given, **more))


class Moment(fields.AwareDateTime):
    """Likewise; it can be told in any zone."""

    def _deserialize(self, *given: Any, **more: Any) -> Any:
        return _of_these_years(super()._deserialize(*given, **more))


def _of_these_years(given: date) -> date:
    if not YEAR_FIRST <= given.year <= YEAR_LAST:
        raise ValidationError(f"The year is to be from {YEAR_FIRST} to {YEAR_LAST}.")
    return given


class AreaQuery(Query):
    area = fields.String(
        validate=CODE,
        metadata=note("Code of a district, town or village; your own area by default.", example="370304102"),
    )


class DayQuery(AreaQuery):
    day = Day(metadata=note("Beijing day, YYYY-MM-DD; today by default.", example="2020-02-21"))


class TableQuery(DayQuery):
    level = fields.String(
        load_default="below",
        validate=validate.OneOf(["below", "village"]),
        metadata=note("`below`: the areas right inside; `village`: every village", example="village"),
    )
    indicator = fields.String(
        validate=SHORT, metadata=note("Only this indicator; all by default.", example="A4")
    )


class PageQuery(Query):
    cursor = fields.String(
        validate=validate.Length(max=2000),
        metadata=note("`next_cursor` of the page before, for the same query."),
    )
    limit = fields.Integer(
        load_default=LIMIT_DEFAULT,
        validate=validate.Range(min=1, max=LIMIT_MAX),
        metadata=note(f"Rows a page, 1 to {LIMIT_MAX}."),
    )


class Page(Schema):
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata=note("Ask again with it for the next page; null on the last."),
    )


class Area(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True, validate=validate.OneOf(["district", "town", "village", "grid"]))
    parent = fields.String()


class AreaList(Schema):
    items = fields.List(fields.Nested(Area), required=True)


class PeriodQuery(AreaQuery):
    first = fields.Date(data_key="from", required=True, metadata=note("First day."))
    last = fields.Date(data_key="to", required=True, metadata=note("Last day; at most 366 days."))

    @validates_schema
    def _in_order(self, data: dict, **_: object) -> None:
        if data["first"] > data["last"]:
            raise ValidationError("`from` lies after `to`.", "from")
        if (data["last"] - data["first"]).days > 366:
            raise ValidationError("At most 366 days.", "to")


class Amounts(Schema):
    value = fields.Float(
        required=True, allow_none=True, metadata=note("null when nothing is due; a share is in percent")
    )
    numerator = fields.Float()
    denominator = fields.Float()
    parts = fields.Dict(keys=fields.String(), values=fields.Dict(), metadata=note("the same for each item"))


class Figure(Amounts):
    cumulative = fields.Boolean()
    seven_days = fields.Nested(
        Amounts,
        metadata=note(
            "the same of the seven days that end with the day, added up; absent for what is cumulative",
            example={"value": 96.2, "numerator": 2020, "denominator": 2100},
        ),
    )


class Indicator(Schema):
    id = fields.String(required=True)
    group = fields.String(required=True)
    more = fields.String(
        required=True, metadata=note("whether a larger figure is `better` or `worse`; empty for neither")
    )
    name = fields.Nested(Words, required=True)
    unit = fields.Nested(Words, required=True)
    note = fields.Nested(Words, required=True)
    cumulative = fields.Boolean(required=True)


class IndicatorGroup(Schema):
    id = fields.String(required=True)
    name = fields.Nested(Words, required=True)
    lead = fields.String(required=True, metadata=note("the indicator that leads it, or empty"))
    columns = fields.List(fields.String(), required=True, metadata=note("those shown for each area"))


class IndicatorList(Schema):
    items = fields.List(fields.Nested(Indicator), required=True)
    groups = fields.List(fields.Nested(IndicatorGroup), required=True)


class Figures(Schema):
    area = fields.Nested(Area, required=True)
    day = fields.Date(required=True)
    figures = fields.Dict(keys=fields.String(), values=fields.Nested(Figure), required=True)


class FiguresRow(Schema):
    area = fields.Nested(Area, required=True)
    figures = fields.Dict(keys=fields.String(), values=fields.Nested(Figure), required=True)


class FiguresTable(Schema):
    area = fields.Nested(Area, required=True)
    day = fields.Date(required=True)
    items = fields.List(fields.Nested(FiguresRow), required=True)


class TrendPoint(Schema):
    day = fields.String(required=True, metadata=note("YYYY-MM-DD"))
    value = fields.Float(required=True, allow_none=True)
    seven_days = fields.Float(
        allow_none=True,
        metadata=note("of the seven days that end with the day; absent for what is cumulative"),
    )


class Trend(Schema):
    area = fields.Nested(Area, required=True)
    indicator = fields.String(required=True)
    items = fields.List(fields.Nested(TrendPoint), required=True)


class FormSummary(Schema):
    form_id = fields.String(required=True)
    title = fields.Nested(Words, required=True)
    version = fields.String(required=True, metadata=note("the latest"))
    versions = fields.List(fields.String(), required=True)


class FormList(Schema):
    items = fields.List(fields.Nested(FormSummary), required=True)


class FormQuery(Query):
    version = fields.String(validate=validate.Length(max=40), metadata=note("The latest by default."))
    view = fields.String(
        data_key="as",
        load_default="compiled",
        validate=validate.OneOf(["compiled", "source"]),
        metadata=note("`compiled` as phones get it, `source` as its author wrote it."),
    )


class FormDefinition(Schema):
    """Shown as it is; `forms/README.md` is its reference."""

    class Meta:
        unknown = INCLUDE

    form_id = fields.String(required=True)
    survey = fields.List(fields.Dict(), required=True)
    choices = fields.Dict()


STATUSES = ("accepted", "accepted_with_warnings", "quarantined", "returned")


class RecordFilters(Query):
    form_id = fields.String(
        data_key="form", validate=SHORT, metadata=note("Records of this form.", example="household_visit")
    )
    status = fields.String(validate=validate.OneOf(STATUSES), metadata=note("What the verdict says."))
    voided = fields.Boolean(metadata=note("1 for withdrawn and voided records only, 0 for none of them."))
    area = fields.String(
        validate=CODE, metadata=note("A town's or a village's code; your own area by default.")
    )
    filler_id = fields.String(data_key="filler", validate=SHORT, metadata=note("Who filled it."))
    device_id = fields.String(data_key="device", validate=SHORT, metadata=note("The phone it came from."))
    household_id = fields.String(
        data_key="household", validate=SHORT, metadata=note("Records that name this household.", example="H3")
    )
    point_id = fields.String(
        data_key="point", validate=SHORT, metadata=note("Records that name this point.", example="P1")
    )
    roster_entry_id = fields.String(
        data_key="roster_entry",
        validate=SHORT,
        metadata=note("Records that name this roster entry.", example="aixin:1"),
    )
    rule = fields.String(
        validate=SHORT, metadata=note("Records with a problem of this rule.", example="V002")
    )
    text = fields.String(validate=validate.Length(max=80), metadata=note("Words in the record's id or text."))
    first = fields.Date(data_key="from", metadata=note("Work dates from this day on."))
    last = fields.Date(data_key="to", metadata=note("Work dates up to this day."))

    @validates_schema
    def _in_order(self, data: dict, **_: object) -> None:
        if data.get("first") and data.get("last") and data["first"] > data["last"]:
            raise ValidationError("`from` lies after `to`.", "from")


class RecordQuery(RecordFilters, PageQuery):
    behind = fields.String(
        validate=SHORT,
        metadata=note("An indicator that counts records: those that it counts, from and to the days given."),
    )
    of = fields.String(
        validate=validate.OneOf(SIDES), metadata=note("With `behind`: which of the figure's numbers.")
    )


class Problem(Schema):
    rule = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(["E", "W", "F"]))
    path = fields.String(
        required=True, metadata=note("the answer, such as rep_person[0].temp_c; empty for the whole record")
    )
    message = fields.Nested(Words, required=True)


class Review(Schema):
    class Meta:
        unknown = RAISE

    status = fields.String(
        required=True,
        validate=validate.OneOf(["returned", "accepted", "voided", "restored"]),
        metadata=note("`restored` takes a void back and leaves the status as it was", example="voided"),
    )
    comment = fields.String(
        load_default="",
        validate=validate.Length(max=500),
        metadata=note(
            "Required to return a record (what to correct) and to void one (why); the volunteer reads it.",
            example="培训时填的测试数据",
        ),
    )


class Reviewed(Schema):
    record_id = fields.String(required=True)
    status = fields.String(required=True)
    review_id = fields.String()


class UnmaskQuery(Query):
    unmask = fields.Boolean(
        load_default=False, metadata=note("1 for names and numbers in full: needs the right, and `reason`.")
    )
    reason = fields.String(
        validate=validate.Length(max=200), metadata=note("What the full data are for; put on record.")
    )


class OneRecordQuery(UnmaskQuery):
    pass


class CsvQuery(RecordFilters, UnmaskQuery):
    table = fields.String(
        validate=validate.Length(max=80), metadata=note("A repeat group, such as rep_person: its own table.")
    )
    since = fields.String(
        validate=validate.Length(max=2000),
        metadata=note(
            "Only what was received since: the header `Gridbook-Cursor` of the export before, with the same "
            "filters; `0` for the first. A record may come twice, none is left out.",
            example="0",
        ),
    )


class ExportQuery(CsvQuery):
    format = fields.String(
        load_default="csv",
        validate=validate.OneOf(list(FORMATS)),
        metadata=note("`xlsx` holds the repeat groups as sheets of their own.", example="xlsx"),
    )


class ExportOrder(ExportQuery):
    form_id = fields.String(data_key="form", required=True, validate=SHORT)


class JobAbout(Schema):
    form_id = fields.String(metadata=note("of an export"))
    table = fields.String(allow_none=True, metadata=note("of an export"))
    format = fields.String(metadata=note("of an export"))
    in_full = fields.Boolean(metadata=note("of an export"))
    list_id = fields.String(metadata=note("the superiors' list that is matched or answered"))
    file_name = fields.String(metadata=note("of a list's import"))
    template = fields.String(metadata=note("of a list's import"))
    title = fields.String(metadata=note("of a list's import"))
    sheet = fields.String(metadata=note("of a list's import"))
    supersedes = fields.String(metadata=note("of a list's import"))
    as_of = fields.String(metadata=note("of a list's answer"))


class JobMade(Schema):
    list_id = fields.String(required=True)
    names = fields.Integer(metadata=note("of an import: how many rows are to be answered"))
    settled = fields.Integer(metadata=note("of a match: how many more rows it decided"))
    answer = fields.Integer(metadata=note("of an answer: its number within its list"))


class JobFile(Schema):
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    bytes = fields.Integer(required=True)
    href = fields.String(required=True)


class Job(Schema):
    job_id = fields.String(required=True)
    kind = fields.String(
        required=True,
        validate=validate.OneOf(["export", "list-read", "list-import", "list-match", "list-answer"]),
    )
    state = fields.String(
        required=True,
        validate=validate.OneOf(["queued", "running", "cancelling", "done", "failed", "cancelled"]),
    )
    stage = fields.String(
        required=True,
        allow_none=True,
        metadata=note("what a running list's job is at: `read`, `prepare`, `match` or `answer`"),
    )
    done = fields.Integer(
        required=True, metadata=note("records so far; of `match` those of the known who were looked at")
    )
    total = fields.Integer(required=True, allow_none=True, metadata=note("null until they were counted"))
    ordered_at = fields.String(required=True)
    ended_at = fields.String(required=True, allow_none=True)
    expires_at = fields.String(required=True, allow_none=True, metadata=note("when job and file are removed"))
    about = fields.Nested(JobAbout, required=True)
    file = fields.Nested(JobFile, required=True, allow_none=True, metadata=note("when it is done"))
    made = fields.Nested(
        JobMade, required=True, allow_none=True, metadata=note("when a list's job is done: what it made")
    )
    cursor = fields.String(
        required=True, allow_none=True, metadata=note("`since` of the next export with the same filters")
    )
    failure = fields.Dict(required=True, allow_none=True, metadata=note("{code, title, detail}"))


class JobList(Schema):
    items = fields.List(fields.Nested(Job), required=True)


class Rebuild(Schema):
    state = fields.String(required=True, validate=validate.OneOf(REBUILD_STATES))
    handled = fields.Integer(required=True, metadata=note("records so far"))
    of = fields.Integer(required=True, allow_none=True, metadata=note("records in all; null while none runs"))
    asked_for = fields.Boolean(
        required=True, metadata=note("by staff or a command; only such a one can be cancelled")
    )
    failure = fields.String(
        required=True, allow_none=True, metadata=note("when and why the last one failed, for administrators")
    )


class UnitQuery(AreaQuery, PageQuery):
    text = fields.String(
        validate=validate.Length(max=80), metadata=note("Words in the entry's id or search text.")
    )


class UnitPage(Page):
    items = fields.List(fields.Dict(), required=True)


class UnitHistoryQuery(AreaQuery, PageQuery, UnmaskQuery):
    pass


class NotReachedQuery(DayQuery, PageQuery):
    pass


class RosterQuery(AreaQuery, PageQuery):
    campaign = fields.String(validate=SHORT, metadata=note("Entries of this campaign.", example="aixin"))


class PointsQuery(AreaQuery, PageQuery):
    at = Moment(metadata=note("Overdue at this moment; now by default.", example="2020-02-21T16:00:00+08:00"))


class ExceptionQuery(AreaQuery, PageQuery):
    state = fields.String(
        load_default="open",
        validate=validate.OneOf(["open", "overdue", "unowned", "resolved"]),
        metadata=note("`open` is whatever nobody resolved; `overdue` and `unowned` are parts of it."),
    )
    kind = fields.String(validate=SHORT, metadata=note("As `counts` names them.", example="point_overdue"))
    owner = fields.String(validate=SHORT, metadata=note("A staff member's id, or `me`."))
    sort = fields.String(
        load_default="due",
        validate=validate.OneOf(
            [sign + name for name in ("due", "since", "kind", "village") for sign in ("", "-")]
        ),
        metadata=note("`-` falls."),
    )


class ExceptionStep(Schema):
    number = fields.Integer(required=True)
    what = fields.String(required=True)
    owner = fields.Dict(allow_none=True, metadata=note("{staff_id, name}: whose it was after the step"))
    by = fields.Dict(required=True, metadata=note("{staff_id, name}"))
    at = fields.String(required=True)
    note = fields.String(required=True)


class ExceptionItem(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.Nested(Words, required=True)
    village_code = fields.String(required=True)
    subject = fields.String(required=True, metadata=note("a record, household, point, entry or device"))
    about = fields.Dict(required=True, metadata=note("{record_id | household_id | point_id | … : id}"))
    since = fields.String(required=True, metadata=note("when it became an exception, UTC"))
    due = fields.String(required=True, metadata=note("by when it is to be worked off"))
    overdue = fields.Boolean(required=True)
    resolved = fields.Boolean(required=True)
    settled = fields.Boolean(required=True, metadata=note("true when the data do not show it any more"))
    owner = fields.Dict(allow_none=True, metadata=note("{staff_id, name}"))
    steps_count = fields.Integer(required=True, metadata=note("send it back as `seen`"))
    steps = fields.List(fields.Nested(ExceptionStep), metadata=note("only of a single exception"))


class ExceptionPage(Page):
    items = fields.List(fields.Nested(ExceptionItem), required=True)
    total = fields.Integer(required=True, metadata=note("how many the filters leave"))
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(),
        required=True,
        metadata=note("{kind: {open, overdue, capped}}; capped: only the oldest 2,000 are listed"),
    )


class ExceptionStepRequest(Schema):
    class Meta:
        unknown = RAISE

    what = fields.String(
        required=True,
        validate=validate.OneOf(["take", "assign", "release", "note", "resolve", "reopen"]),
    )
    seen = fields.Integer(
        required=True, validate=validate.Range(min=0), metadata=note("`steps_count` as you saw it")
    )
    owner = fields.String(validate=SHORT, metadata=note("For `assign`: a staff member's id."))
    note = fields.String(load_default="", validate=validate.Length(max=500))


class Device(Schema):
    device_id = fields.String(required=True)
    label = fields.String(required=True)
    villages = fields.List(fields.String(), required=True)
    filler_ids = fields.List(fields.String(), required=True)
    revoked = fields.Boolean(required=True)
    enrolled_at = fields.String(required=True)
    expires_at = fields.String(allow_none=True)
    last_contact_at = fields.String(allow_none=True)


class DeviceList(Schema):
    items = fields.List(fields.Nested(Device), required=True)


class AssignmentRequest(Schema):
    class Meta:
        unknown = RAISE

    villages = fields.List(
        fields.String(validate=validate.Regexp(r"^\d{12}$", error="A village code has 12 digits.")),
        required=True,
        validate=validate.Length(min=1, max=40),
        metadata=note("all that it is to have", example=["370304102901"]),
    )


class StaffQuery(PageQuery):
    area = fields.String(validate=CODE, metadata=note("Those whose area lies in it; your own by default."))
    role = fields.String(validate=SHORT, metadata=note("One of the roles.", example="town_staff"))
    state = fields.String(
        validate=validate.OneOf(["active", "disabled"]), metadata=note("Who may sign in, or no longer.")
    )
    text = fields.String(validate=validate.Length(max=80), metadata=note("Part of a name or user name."))


class SystemHealth(Schema):
    """docs/health.md says what each part holds and what to do when it is not good."""

    level = fields.String(
        required=True,
        validate=validate.OneOf(["good", "warn", "bad"]),
        metadata=note("the worst of the parts"),
    )
    at = fields.String(required=True, metadata=note("when it was measured, UTC"))
    parts = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(),
        required=True,
        metadata=note(
            "each part by its name, with its own `level`",
            example={
                "follower": {"level": "good", "alive": True, "last_beat_at": "2020-02-21T08:00:01.250Z"},
                "waiting": {"level": "good", "records": 0, "oldest_received_at": None, "oldest_age_s": None},
                "disk": {"level": "warn", "free_bytes": 1900000000, "total_bytes": 40000000000},
            },
        ),
    )


class StaffMember(Schema):
    staff_id = fields.String(required=True)
    username = fields.String(required=True, metadata=note("for signing in", example="wang.li"))
    name = fields.String(required=True, metadata=note("as pages show it", example="王丽"))
    roles = fields.List(fields.String(), required=True)
    area = fields.String(required=True, metadata=note("code of the district, town or village they see"))
    disabled = fields.Boolean(required=True)
    last_sign_in_at = fields.String(allow_none=True, metadata=note("UTC; null when never"))


class StaffPage(Page):
    items = fields.List(fields.Nested(StaffMember), required=True)


class NewStaff(Schema):
    class Meta:
        unknown = RAISE

    username = fields.String(
        required=True, validate=validate.Length(max=64), metadata=note("", example="wang.li")
    )
    name = fields.String(load_default="", validate=validate.Length(max=80), metadata=note("", example="王丽"))
    roles = fields.List(
        fields.String(validate=SHORT),
        required=True,
        validate=validate.Length(min=1, max=20),
        metadata=note("", example=["town_staff"]),
    )
    area = fields.String(required=True, validate=CODE, metadata=note("", example="370304102"))


class PasswordCode(Schema):
    staff = fields.Nested(StaffMember, required=True)
    code = fields.String(required=True, metadata=note("shown once, works once", example="7KQM-3XWP"))
    expires_at = fields.String(required=True)


class SetPassword(Schema):
    class Meta:
        unknown = RAISE

    username = fields.String(required=True, validate=validate.Length(max=64))
    code = fields.String(required=True, validate=validate.Length(max=40))
    password = fields.String(required=True, load_only=True, validate=validate.Length(max=400))


class CodeRequest(Schema):
    class Meta:
        unknown = RAISE

    villages = fields.List(
        fields.String(validate=validate.Regexp(r"^\d{12}$", error="A village code has 12 digits.")),
        required=True,
        validate=validate.Length(min=1, max=40),
    )
    filler_ids = fields.List(
        fields.String(validate=SHORT), load_default=list, validate=validate.Length(max=200)
    )
    device_days = fields.Integer(allow_none=True, load_default=None, validate=validate.Range(min=1, max=3650))


class Code(Schema):
    code = fields.String(required=True, metadata=note("Shown once; read XXXX-XXXX.", example="7KQM-3XWP"))
    link = fields.String(required=True, metadata=note("What the QR code holds."))
    villages = fields.List(fields.String(), required=True)
    expires_at = fields.String(required=True)


class QuarantineQuery(RecordQuery):
    status = fields.String(
        load_default="quarantined",
        validate=validate.OneOf(["quarantined", "returned"]),
        metadata=note("`quarantined` by a rule, or `returned` by staff."),
    )


class Void(Schema):
    """What staff said when they took the record out of the figures."""

    at = fields.String(required=True, metadata=note("when, UTC"))
    by = fields.String(required=True, metadata=note("who", example="staff:5f0c…"))
    reason = fields.String(required=True, metadata=note("why", example="培训时填的测试数据"))
    duplicate_of = fields.String(metadata=note("the record that stays, when this one said the same"))


class RecordItem(Schema):
    record_id = fields.String(required=True)
    form_id = fields.String(allow_none=True)
    form_version = fields.String(allow_none=True)
    work_date = fields.String(allow_none=True)
    captured_at = fields.String(allow_none=True)
    received_at = fields.String(required=True, metadata=note("when the server got it, UTC"))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    effective = fields.Boolean(required=True, metadata=note("whether the figures count it"))
    superseded_by = fields.String(allow_none=True)
    supersedes = fields.String(allow_none=True)
    voided = fields.Boolean(metadata=note("withdrawn by the volunteer, or voided by staff"))
    void = fields.Nested(Void, allow_none=True, metadata=note("null unless staff voided it"))
    device_id = fields.String(allow_none=True)
    filler_id = fields.String(allow_none=True)
    town_code = fields.String()
    village_code = fields.String()
    grid_code = fields.String(allow_none=True)
    household_id = fields.String(allow_none=True)
    point_id = fields.String(allow_none=True)
    roster_entry_id = fields.String(allow_none=True)
    comment = fields.String(allow_none=True)
    decided_at = fields.String()
    decided_by = fields.String()
    answers = fields.Dict(metadata=note("masked unless asked for in full"))
    problems = fields.List(fields.Nested(Problem))


class RecordPage(Page):
    items = fields.List(fields.Nested(RecordItem), required=True)


class Unit(Schema):
    kind = fields.String(required=True, metadata=note("household, point or roster_entry"))
    id = fields.String(required=True)
    town_code = fields.String(required=True)
    village_code = fields.String(required=True)
    grid_code = fields.String(allow_none=True)
    registered = fields.Boolean(
        required=True, metadata=note("false when the register does not list it and it counts nowhere")
    )
    entry = fields.Dict(metadata=note("as the register has it; absent for what only records know"))
    state = fields.Dict(required=True, metadata=note("what the records that count leave it as"))


class UnitHistory(RecordPage):
    unit = fields.Nested(Unit, required=True)


class Verdict(Schema):
    record_id = fields.String()
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    problems = fields.List(fields.Nested(Problem), required=True)
    comment = fields.String(allow_none=True)
    decided_at = fields.String(required=True)
    decided_by = fields.String(required=True)
    voided = fields.Nested(Void, allow_none=True)


class FullRecord(RecordItem):
    document = fields.Dict(required=True, metadata=note("the record as it arrived"))
    verdict = fields.Nested(Verdict, required=True)
    versions = fields.List(
        fields.Nested(RecordItem), required=True, metadata=note("oldest first, itself included")
    )
    unit = fields.Dict(allow_none=True, metadata=note("the household, point or roster entry"))
    revisions = fields.List(fields.Dict())
    reviews = fields.List(fields.Dict())


class PairQuery(PageQuery):
    area = fields.String(
        validate=CODE, metadata=note("A town's or a village's code; your own area by default.")
    )
    state = fields.String(
        load_default="open",
        validate=validate.OneOf(["open", "decided"]),
        metadata=note("`open` for pairs that wait for a decision"),
    )
    rule = fields.String(
        validate=SHORT, metadata=note("of open pairs those that this rule suspects", example="visited_twice")
    )


class PairDecision(Schema):
    number = fields.Integer(required=True, metadata=note("how many decisions there are, itself included"))
    decision = fields.String(required=True, validate=validate.OneOf(["kept_both", "merged"]))
    kept = fields.String(allow_none=True, metadata=note("after a merge: the record that stays"))
    voided = fields.String(allow_none=True, metadata=note("after a merge: the record that was voided"))
    comment = fields.String(metadata=note("the void's reason", example="重复填报"))
    by = fields.String(required=True, metadata=note("who", example="staff:5f0c…"))
    at = fields.String(required=True, metadata=note("when, UTC"))


class Pair(Schema):
    pair = fields.String(required=True, metadata=note("names the pair, also after a correction of either"))
    rule = fields.String(allow_none=True, metadata=note("what suspects them", example="visited_twice"))
    why = fields.Nested(Words, allow_none=True)
    unit_kind = fields.String()
    unit_id = fields.String()
    village_code = fields.String(required=True)
    since = fields.String(required=True, metadata=note("when the later one was made, or was decided, UTC"))
    records = fields.List(fields.Nested(RecordItem), required=True, metadata=note("two, the earlier first"))
    decision = fields.Nested(PairDecision, allow_none=True)


class PairPage(Page):
    items = fields.List(fields.Nested(Pair), required=True)


class FullPair(Pair):
    open = fields.Boolean(required=True, metadata=note("whether both records count, so that one can decide"))


class PairDecisionRequest(Schema):
    class Meta:
        unknown = RAISE

    decision = fields.String(
        required=True, validate=validate.OneOf(["kept_both", "merged"]), metadata=note("", example="merged")
    )
    keep = fields.String(
        validate=validate.Length(max=200),
        metadata=note(
            "for a merge: the id of the record that stays",
            example="record:household_visit:20200221:7a1c3f0e-52b1-4d5c-9b36-6d2f0f5d9a11",
        ),
    )
    seen = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(min=0, max=9998),
        metadata=note("`decision.number` as you saw it; 0 when there was none"),
    )
    comment = fields.String(
        load_default="",
        validate=validate.Length(max=500),
        metadata=note(
            "for a merge: the void's reason, which the volunteer reads", example="同一次走访，两台手机都填了"
        ),
    )


class VillageState(Schema):
    area = fields.Nested(Area, required=True)
    state = fields.String(required=True, validate=validate.OneOf(["reported", "nil", "silent"]))
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        required=True,
        metadata=note("records of the day by component: any of them makes the village reported"),
    )
    quarantined = fields.Integer()
    last_received_at = fields.String()
    nil = fields.Dict(metadata=note("the nil report that holds: {at, by: {staff_id, name}, note?}"))


class Standing(Schema):
    area = fields.Nested(Area, required=True)
    day = fields.Date(required=True)
    villages = fields.Dict(
        required=True,
        metadata=note(
            "{total, reported, nil, silent}; silent is J3",
            example={"total": 288, "reported": 280, "nil": 5, "silent": 3},
        ),
    )
    devices = fields.Dict(
        required=True,
        metadata=note(
            "{active, unsynced, since}: phones in use, those not heard from since that moment (J2)",
            example={"active": 2910, "unsynced": 12, "since": "2020-02-21T08:00:00.000Z"},
        ),
    )
    waiting = fields.Dict(
        required=True,
        metadata=note(
            "{unjudged, quarantined, returned}: records that arrived and have no verdict yet, and those that "
            "wait for a correction (J4)",
            example={"unjudged": 4, "quarantined": 31, "returned": 2},
        ),
    )
    last_received_at = fields.String(metadata=note("when the last record came; absent before the first"))
    lists = fields.Dict(
        required=True,
        metadata=note("superiors' lists: {received, checked, share in percent, missed, outcomes} (B9)"),
    )


class NilReport(Schema):
    village = fields.String(
        required=True,
        validate=validate.Regexp(r"^\d{12}$", error="A village's code has 12 digits."),
        metadata=note("the village's code", example="370304102001"),
    )
    day = Day(metadata=note("Beijing day; today by default", example="2020-02-21"))
    what = fields.String(
        load_default="said",
        validate=validate.OneOf(MOVES),
        metadata=note("`said`: nothing to report; `withdrawn` takes it back", example="said"),
    )
    note = fields.String(
        load_default="",
        validate=validate.Length(max=NOTE_LENGTH_MAX),
        metadata=note("such as who in the village said so", example="村主任电话报"),
    )


class VillageList(Schema):
    items = fields.List(fields.Nested(VillageState), required=True)


class BulletinHead(Schema):
    number = fields.String(required=True, metadata=note("year and number within it", example="2020-027"))
    day = fields.String(required=True)
    cut_off = fields.String(required=True)
    as_of = fields.String(required=True, metadata=note("records received up to this moment count"))
    frozen_at = fields.String(required=True)
    frozen_by = fields.Dict(required=True, metadata=note("{staff_id, name}"))
    replaces = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    replaced_by = fields.String(allow_none=True)
    digest = fields.String(required=True, metadata=note("SHA-256 of the canonical content, hex"))
    signature = fields.String(required=True, metadata=note("HMAC-SHA-256 under this server's key, hex"))


class BulletinList(Schema):
    items = fields.List(fields.Nested(BulletinHead), required=True)


class BulletinQuery(Query):
    day = Day(metadata=note("For the number `preview`: which day; today by default."))


class FullBulletin(Schema):
    provisional = fields.Boolean(required=True, metadata=note("true before it is frozen"))
    bulletin = fields.Nested(BulletinHead)
    content = fields.Dict(required=True, metadata=note("docs/bulletins.md has its shape"))
    damage = fields.String(
        allow_none=True, metadata=note("missing, content, head or signature; null when it is intact")
    )
    late = fields.Dict(metadata=note("{area: {indicator: figure now − frozen}}, without what is the same"))


class Freeze(Schema):
    class Meta:
        unknown = RAISE

    day = Day(metadata=note("Beijing day; today by default.", example="2020-02-21"))


class CorrectBulletin(Schema):
    class Meta:
        unknown = RAISE

    reason = fields.String(required=True, validate=SHORT, metadata=note("4 to 200 characters"))


class SheetQuery(DayQuery, UnmaskQuery):
    language = fields.String(
        load_default="zh", validate=validate.OneOf(["zh", "en"]), metadata=note("Of headings and choices.")
    )
    reviewer = fields.String(validate=validate.Length(max=40), metadata=note("审核人, for the head."))
    phone = fields.String(validate=validate.Length(max=40), metadata=note("联系电话, for the head."))


class SheetHead(Schema):
    name = fields.String(required=True, metadata=note("for the address"))
    number = fields.String()
    title = fields.Nested(Words, required=True)
    rows = fields.String(required=True)


class SheetList(Schema):
    items = fields.List(fields.Nested(SheetHead), required=True)
    complaints = fields.List(fields.String(), required=True)
