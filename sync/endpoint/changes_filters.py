"""Which changes a client wants: the `filter` parameter of _changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.endpoint import selector
from sync.endpoint.call import Call
from sync.endpoint.errors import NotImplementedHere
from sync.endpoint.query import Query
from sync.store import BadRequest, Change, Database, NotFound


@dataclass(frozen=True, slots=True)
class Filter:
    """`doc_ids` narrows what is read; `accepts` looks at each row, with its document if `needs_doc`."""

    doc_ids: list[str] | None = None
    accepts: Callable[[Change], bool] | None = None
    needs_doc: bool = False


NONE = Filter()


def chosen(call: Call, query: Query, body: Mapping[str, Any]) -> Filter:
    name = query.text("filter")
    if not name:
        return NONE
    if name == "_doc_ids":
        return Filter(doc_ids=_doc_ids(call, query.json("doc_ids")))
    if name == "_selector":
        matches = selector.compiled(body.get("selector"))
        return Filter(accepts=lambda change: matches(change.doc), needs_doc=True)
    if name == "_design":
        return Filter(accepts=lambda change: change.id.startswith("_design/"))
    raise _not_run(call.database, name, query)


def _doc_ids(call: Call, wanted: object) -> list[str]:
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise BadRequest("`doc_ids` filter parameter is not a JSON array of strings.")
    call.bounded(wanted)
    return wanted


def _not_run(database: Database, name: str, query: Query) -> Exception:
    """A function of a design document: told apart whether it is missing or only never run."""
    view = query.text("view")
    if name == "_view" and not view:
        return BadRequest("`view` filter parameter is not provided.")
    member, place = ("views", view or "") if name == "_view" else ("filters", name)
    design, slash, function = place.partition("/")
    if not slash or "/" in function:
        return BadRequest("filter parameter must be of the form `designname/filtername`")
    functions = database.get(f"_design/{design}").get(member)
    if not isinstance(functions, Mapping) or function not in functions:
        return NotFound(f"missing json key: {function}")
    return NotImplementedHere("This server keeps the functions of design documents and runs none of them.")
