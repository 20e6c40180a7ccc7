"""`/odata/`: the service document, its metadata, and pages of entity sets.

Excel and Power BI sign in by Basic authentication: the user name, and an API token as the password. A page
ends with a link to the next one; its token is where it begins, and fits only the query that gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from server.api import problems, shapes
from server.api.access import own_area, staff_for
from server.api.catalogue import forms
from server.api.exports import ACTION
from server.api.problems import Problem
from server.api.records import read_filters
from server.app import gridbook
from server.exports.asked import Asked, Row, count_rows, one_with_rows, records_with_rows
from server.exports.columns import OF_INSTANCE, OF_RECORD, Column
from server.odata import keys, registers
from server.odata.model import EntitySet, entity_sets, metadata
from server.odata.options import Options, Refused, read
from server.people import tokens
from server.people.staff import Staff
from server.people.web import AuthRequired
from server.readmodel import codec
from server.readmodel.export_queries import Place, count_and_end
from server.readmodel.paging import BadCursor, decode_cursor, encode_cursor

PAGE_ROWS = 1_000
NO_END = 1 << 60
VERSION = "4.0"

blueprint = Blueprint("odata", __name__, url_prefix="/odata")


@blueprint.before_request
def negotiate() -> None:
    _identify()
    if request.headers.get("OData-MaxVersion", VERSION) < VERSION:
        raise Refused(400, "This service speaks OData 4.0.")


def _identify() -> None:
    """A program that knows only Basic authentication sends its API token as the password."""
    given = request.authorization
    if given is None or given.type != "basic":
        return
    try:
        member = tokens.member_of(gridbook().people, given.password or "")
    except tokens.TokenRefused as refused:
        raise AuthRequired(str(refused)) from None
    if member.username != given.username:
        raise AuthRequired("This API token belongs to another user.")
    g.staff = member


@blueprint.after_request
def versioned(response: Response) -> Response:
    response.headers["OData-Version"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/", endpoint="root")
def service_document() -> Response:
    staff_for(ACTION)
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in entity_sets(forms().versions)]
    return _json({"@odata.context": _context(), "value": sets})


@blueprint.get("/$metadata")
def schema() -> Response:
    staff_for(ACTION)
    return Response(metadata(entity_sets(forms().versions)), content_type="application/xml; charset=utf-8")


@blueprint.get("/<path:name>")
def entities(name: str) -> Response:
    """The entities of a set, or one by its key."""
    if named := keys.split(name):
        return _one(*named)
    member, found = staff_for(ACTION), _entity_set(name)
    options = read(request.args, found)
    if found.register is not None:
        return _register(found, found.register, options)
    asked = _asked(member, found, options)
    place, left = _begin(asked, options)
    items, end = _page(found, options, _from(asked, place), left)
    link = None
    if end is not None and left > len(items):
        link = _next_link(_name(asked), end, left - len(items), options.top is not None)
    return _listed(found, options, items, link, lambda: _count(found, asked))


def _listed(
    found: EntitySet,
    options: Options,
    items: list[dict[str, Any]],
    link: str | None,
    counted: Callable[[], int],
) -> Response:
    body: dict[str, Any] = {"@odata.context": f"{_context()}#{found.name}{_chosen(found, options)}"}
    if options.count:
        body["@odata.count"] = counted()
    body["value"] = items
    return _json(body | ({"@odata.nextLink": link} if link else {}))


def _chosen(found: EntitySet, options: Options) -> str:
    return "" if len(options.select) == len(found.properties) else f"({','.join(options.select)})"


def _one(name: str, written: str) -> Response:
    """One entity by its key; a record that came to two inboxes is the one that came first."""
    member, found = staff_for(ACTION), _entity_set(name)
    if strange := sorted(request.args.keys() - {"$select", "$format"}):
        raise Refused(400, f"{strange[0]} means nothing for one entity.")
    options, key = read(request.args, found), keys.key(written, found)
    if found.register is not None:
        area = _area(options)
        values = registers.entry(gridbook().readmodel, found.register, area, *map(str, key.values()))
        rows: list[Row] = [((), values, {})] if values else []
    else:
        rows = one_with_rows(gridbook(), _asked(member, found, options), str(key["record_id"]))
        if found.table is not None:
            number = int(key["row"])
            rows = rows[number - 1 : number] if number else []
    if not rows:
        raise Problem("not-found")
    context = f"{_context()}#{name}{_chosen(found, options)}/$entity"
    return _json({"@odata.context": context, **_entity(found, options, rows[0])})


def _register(found: EntitySet, kind: str, options: Options) -> Response:
    area = _area(options)
    name = f"odata:{found.name}:{area}"
    place, left = _place(name, options, 2)
    after = (place[0], place[1]) if place else None
    most = min(left, PAGE_ROWS)
    page = registers.entries(gridbook().readmodel, kind, area, after, most) if most else []
    items = [_entity(found, options, ((), values, {})) for _, _, values in page]
    link = None
    if len(page) == PAGE_ROWS and left > len(page):
        link = _next_link(name, page[-1][:2], left - len(page), options.top is not None)
    return _listed(found, options, items, link, lambda: registers.count(gridbook().readmodel, kind, area))


def _area(options: Options) -> str:
    """Of a register, and never outside the member's. Raises Problem."""
    return str(own_area(staff_for("register.read"), options.filters.get("area"))["code"])


@blueprint.get("/<string:name>/$count")
def count(name: str) -> Response:
    member, found = staff_for(ACTION), _entity_set(name)
    options = read(request.args, found)
    if found.register is not None:
        counted = registers.count(gridbook().readmodel, found.register, _area(options))
    else:
        counted = _count(found, _asked(member, found, options))
    return Response(str(counted), content_type="text/plain")


def _entity_set(name: str) -> EntitySet:
    found = entity_sets(forms().versions).get(name)
    if found is None:
        raise Problem("not-found")
    return found


def _asked(member: Staff, found: EntitySet, options: Options) -> Asked:
    """Always masked, never outside the member's area."""
    effective = options.filters.pop("effective", None)
    given = {{"first": "from", "last": "to"}.get(key, key): value for key, value in options.filters.items()}
    aliases = {"device_id": "device", "filler_id": "filler"}
    try:
        query = shapes.RecordFilters().load({aliases.get(key, key): each for key, each in given.items()})
    except ValidationError as error:
        raise Refused(400, f"$filter: {error.messages}") from None
    filters = replace(read_filters(member, {**query, "form_id": found.form_id}), effective=effective)
    return Asked(found.form_id, found.table, "odata", filters, options.span, in_full=False)


def _from(asked: Asked, place: Place | None) -> Asked:
    return replace(asked, span=replace(asked.span, after=place)) if place else asked


def _page(
    found: EntitySet, options: Options, asked: Asked, most: int
) -> tuple[list[dict[str, Any]], Place | None]:
    """Up to `most` entities, a page of them with all that a record has, and where the next page begins."""
    items: list[dict[str, Any]] = []
    place: Place | None = None
    if most == 0:
        return items, None
    for place, rows in records_with_rows(gridbook(), asked):
        items += [_entity(found, options, row) for row in rows]
        if len(items) >= min(most, PAGE_ROWS):
            return items[:most], place
    return items, None


def _entity(found: EntitySet, options: Options, row: Row) -> dict[str, Any]:
    names = OF_INSTANCE if found.table else OF_RECORD
    return {name: _value(found.properties[name], row, names) for name in options.select}


def _value(column: Column, row: Row, names: tuple[str, ...]) -> Any:
    """Several choices as one text: Excel shows a list as a word to click."""
    value = column.typed(row, names)
    return " ".join(value) if isinstance(value, list) else value


def _count(found: EntitySet, asked: Asked) -> int:
    if found.table is not None:
        return count_rows(gridbook(), asked)
    return count_and_end(gridbook().readmodel, asked.filters, asked.span)[0]


def _name(asked: Asked) -> str:
    return f"odata:{codec.digest([asked.form_id, asked.table, asked.to_json()])}"


def _begin(asked: Asked, options: Options) -> tuple[Place | None, int]:
    """Where the page begins and how many entities are still wanted."""
    place, left = _place(_name(asked), options, 3)
    return (place[0], place[1], place[2]) if place else None, left


def _place(name: str, options: Options, parts: int) -> tuple[list[str] | None, int]:
    """The place in a skiptoken, of so many parts, and how many entities are still wanted. Raises Problem."""
    most = NO_END if options.top is None else options.top
    try:
        place = decode_cursor(name, options.skiptoken, parts + 1)
    except BadCursor:
        raise Problem("bad-cursor") from None
    if place is None:
        return None, most
    left = int(place[parts]) if place[parts].isdigit() else most
    return place[:parts], min(left, most)


def _next_link(name: str, end: Sequence[str], left: int, counted: bool) -> str:
    token = encode_cursor(name, [*end, str(left) if counted else ""])
    kept = {name: value for name, value in request.args.items() if name not in ("$skiptoken", "$count")}
    return f"{request.base_url}?{urlencode(kept | {'$skiptoken': token})}"


def _context() -> str:
    return f"{request.host_url}odata/$metadata"


def _json(body: dict[str, Any]) -> Response:
    return Response(
        codec.encode(body), content_type="application/json; odata.metadata=minimal; charset=utf-8"
    )


# ——— Errors, in OData's shape ———


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> Response:
    return _error(error.status, "not-implemented" if error.status == 501 else "bad-request", str(error))


@blueprint.errorhandler(Problem)
def problem(error: Problem) -> Response:
    status = 400 if error.code == "bad-cursor" else error.status
    return _error(status, error.code, error.words(problems.language_of(request))[1])


@blueprint.errorhandler(AuthRequired)
def auth_required(_error_: AuthRequired) -> Response:
    return problem(Problem("unauthorized"))


@blueprint.errorhandler(HTTPException)
def http_error(error: HTTPException) -> Response:
    return problem(problems.from_http(error))


def _error(status: int, code: str, message: str) -> Response:
    answer = _json({"error": {"code": code, "message": message}})
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="gridbook", charset="UTF-8"'
    return answer
