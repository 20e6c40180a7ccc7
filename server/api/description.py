"""What the OpenAPI page says besides shapes: an example of each answer and body, what each part of a path is,
and in which words a call may be refused.

They are data, a file for each part of the API in `examples/`:

    {"parameters": {name of a path's parameter: {"description", "example"}},
     "calls": {"GET /records": {"answer", "body"?, "refusals"?: [codes of problems.CATALOGUE]}}}

`answers` instead of `answer` has one for each status.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from apispec import APISpec, BasePlugin

from server.api import problems
from server.api.problems import MEDIA_TYPE, Problem

EXAMPLES = Path(__file__).parent / "examples"
PREFIX = "/api/v1"
FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string"}

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457). A program looks at `code`.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what to do, in the language of Accept-Language"},
        "code": {"type": "string"},
        "errors": {"type": "object", "description": "{where: {parameter: [complaints]}}"},
    },
}
# What the catalogue's sentences name, as an example would.
FIELDS: Mapping[str, str] = {
    "action": "records.read", "answer": "9", "area": "370304999", "at": "2020-02-21 16:03", "by": "2020-028",
    "candidate": "person:9", "cut_off": "2020-02-21 16:00", "db": "inbox-370304102901",
    "exception": "point_overdue", "form": "poem", "indicator": "Z9", "known": "…", "limit": "16",
    "list": "2020-0001", "method": "PUT", "moment": "2020-02-21 16:03", "name": "Wang", "number": "2020-027",
    "outcome": "away", "own": "370304102", "reason": "Row 7: the ID number ends in 000", "record": "record:…",
    "register": "cats", "row": "7", "sheet": "poem", "state": "was used already", "table": "rep_cat",
    "template": "poem", "unit": "H9", "villages": "370304102901, 370304102902", "given": "4 pm",
    "webhook": "9", "count": "120,000", "most": "100,000", "format": "parquet",
    "how": "pip install pyarrow", "grid": "37030410290109",
    "why": "has to be https", "username": "wang.li", "least": "10", "what": "both are kept",
    "scope": "cats.feed", "day": "2020-02-29", "until": "it should be done at 16:20, Beijing time",
}  # fmt: skip
WRONG = {"query": {"limit": ["Must be greater than or equal to 1 and less than or equal to 500."]}}
ANYWHERE = ("unauthorized", "forbidden", "outside-scope", "internal")


@cache
def parts() -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.json"))]


def described_calls() -> dict[str, dict[str, Any]]:
    return {name: call for part in parts() for name, call in part["calls"].items()}


def _parameters_of(call: str) -> dict[str, dict[str, Any]]:
    return next((part["parameters"] for part in parts() if call in part["calls"]), {})


class Descriptions(BasePlugin):
    """Completes each path as flask-smorest hands it to the description."""

    def init_spec(self, spec: APISpec) -> None:
        super().init_spec(spec)
        spec.components.schema("ProblemDetails", PROBLEM)
        spec.components.response("PROBLEM", _refused("Refused, in words", ANYWHERE))

    def path_helper(
        self,
        path: str | None = None,
        operations: dict[str, Any] | None = None,
        parameters: list[dict[str, Any]] | None = None,
        **_: Any,
    ) -> None:
        for method, operation in (operations or {}).items():
            call = f"{method.upper()} {(path or '').removeprefix(PREFIX)}"
            _complete(operation, described_calls().get(call, {}))
            known = _parameters_of(call)
            for parameter in parameters or ():
                if parameter["in"] == "path":
                    parameter.update(known.get(parameter["name"], {}))


def _complete(operation: dict[str, Any], known: Mapping[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    for status, response in responses.items():
        if str(status).startswith("2"):
            for content in response.get("content", {}).values():
                content |= _example(known, str(status))
    if "body" in known:
        operation["requestBody"]["content"]["application/json"]["example"] = known["body"]
    described = {str(status): each for status, each in responses.items()}
    for status, codes in _refusals(operation, known):
        before = described.get(str(status))
        titles = "; ".join(problems.CATALOGUE[code][2] for code in codes)
        responses[status] = _refused(before["description"] if isinstance(before, dict) else titles, codes)
    responses["default"] = "PROBLEM"


def _example(known: Mapping[str, Any], status: str) -> dict[str, Any]:
    answers = known.get("answers", {status: known["answer"]} if "answer" in known else {})
    return {"example": answers[status]} if status in answers else {}


def _refusals(operation: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """(status, codes); a call with parameters may refuse them."""
    codes = list(known.get("refusals", ()))
    if 422 in operation["responses"]:
        codes.insert(0, "invalid")
    for status in sorted({problems.CATALOGUE[code][0] for code in codes}):
        yield status, [code for code in codes if problems.CATALOGUE[code][0] == status]


def _refused(title: str, codes: list[str] | tuple[str, ...]) -> dict[str, Any]:
    examples = {code: {"value": _problem(code)} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": examples}
    return {"description": title, "content": {MEDIA_TYPE: content}}


def _problem(code: str) -> dict[str, Any]:
    problem = Problem(code, errors=WRONG if code == "invalid" else None, **FIELDS)
    return problems.details(problem, "en")
