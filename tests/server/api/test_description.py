"""The API's own description: valid, complete with examples that fit, and naming no foreign host."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from server.api import description, problems
from tests.server.api.questions import ask, prepared
from tests.server.api.world import World

WHERE = "write one into server/api/examples/"


@pytest.fixture(scope="module")
def described(world: World) -> dict[str, Any]:
    answer = world.get(None, "/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def test_it_is_whole_for_everybody_who_asks_first_at_once(app: Flask, described: dict[str, Any]) -> None:
    def look(_: int) -> Any:
        return app.test_client().get("/api/v1/openapi.json").json

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, range(4))) == [described] * 4


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


def calls(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """(`GET /api/v1/records`, its description, the parameters of its path)."""
    for path, item in described["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            yield f"{method.upper()} {path}", item[method], item.get("parameters", [])


def contents(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(what it is, media type, its content) of every body and every answer."""
    for name, call, _ in calls(described):
        for media, content in call.get("requestBody", {}).get("content", {}).items():
            yield f"{name}, body", media, content
        for status, answer in call["responses"].items():
            if "$ref" not in answer:
                for media, content in answer.get("content", {}).items():
                    yield f"{name}, {status}", media, content
    for name, answer in described["components"]["responses"].items():
        for media, content in answer["content"].items():
            yield name, media, content


def wrong(described: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What a schema of the description has against a value."""
    found = OAS30Validator({"components": described["components"], "allOf": [schema]}).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def test_every_parameter_says_what_it_is(described: dict[str, Any]) -> None:
    for name, call, of_path in calls(described):
        for parameter in call.get("parameters", []) + of_path:
            assert parameter.get("description"), f"{name}: {parameter['name']}"
        for parameter in of_path:
            assert "example" in parameter, f"{name}: {parameter['name']} has no example; {WHERE}"


def test_every_answer_and_every_body_has_an_example(described: dict[str, Any]) -> None:
    files = ("application/pdf", "application/vnd", "multipart/form-data", "*/*")
    for name, call, _ in calls(described):
        for status, answer in call["responses"].items():
            assert status in ("204", "304") or "$ref" in answer or answer.get("content"), f"{name}, {status}"
    for name, media, content in contents(described):
        if not media.startswith(files):
            assert "example" in content or content.get("examples"), f"{name} has no example; {WHERE}"


def test_every_example_fits_its_schema(described: dict[str, Any]) -> None:
    for name, _, content in contents(described):
        examples = [each["value"] for each in content.get("examples", {}).values()]
        for example in examples + ([content["example"]] if "example" in content else []):
            assert not wrong(described, content["schema"], example), name
            assert "{" not in example.get("detail", "") if isinstance(example, dict) else True
    for name, _, of_path in calls(described):
        for parameter in of_path:
            assert not wrong(described, parameter["schema"], parameter["example"]), name


def test_every_real_answer_fits_its_schema(world: World, described: dict[str, Any]) -> None:
    ids = prepared(world)
    for name, call, _ in calls(described):
        path = name.removeprefix("GET ")
        content = call["responses"].get("200", {}).get("content", {}).get("application/json")
        if path != name and content:
            answer = ask(world, path, ids).json
            assert not wrong(described, content["schema"], answer), name
            assert not undeclared(described, content["schema"], answer), name


def test_no_example_has_what_no_answer_can_have(described: dict[str, Any]) -> None:
    for name, _, content in contents(described):
        if "example" in content:
            assert not undeclared(described, content["schema"], content["example"]), name


def undeclared(described: dict[str, Any], schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """The members of a value that its schema does not speak of, unless it allows any."""
    for part in schema.get("allOf", []):
        schema = {**schema, **part}
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [each for one in value for each in undeclared(described, schema.get("items", {}), one, place)]
    known = schema.get("properties")
    if not isinstance(value, dict) or not known or schema.get("additionalProperties"):
        return []
    extra = [f"{place}/{name}" for name in value if name not in known]
    inside = [(name, one) for name, one in value.items() if name in known]
    return extra + [
        e for name, one in inside for e in undeclared(described, known[name], one, f"{place}/{name}")
    ]


def test_every_refusal_is_a_problem_of_the_catalogue(world: World, described: dict[str, Any]) -> None:
    for name, call in description.described_calls().items():
        assert set(call.get("refusals", ())) <= problems.CATALOGUE.keys(), name
        assert f"{description.PREFIX}{name.split()[1]}" in described["paths"], name
    answer = world.get("dong", "/api/v1/records?limit=0")
    assert not wrong(described, {"$ref": "#/components/schemas/ProblemDetails"}, answer.json)
    assert answer.content_type == problems.MEDIA_TYPE
    assert "schemas/Error" not in json.dumps(described)  # flask-smorest's own, which is not what we answer


def test_an_example_names_nobody_and_no_server_of_ours(described: dict[str, Any]) -> None:
    text = json.dumps(described, ensure_ascii=False)
    assert not re.search(r"127\.0\.0\.1|localhost|/tmp/|\d{17}[\dX]\b", text)


def test_every_route_of_the_api_is_described(world: World, described: dict[str, Any]) -> None:
    routes = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", str(rule))
        for rule in world.app.url_map.iter_rules()
        if str(rule).startswith("/api/v1/")
        and rule.endpoint not in ("api-docs.openapi_json", "web.api_guide")
    }
    assert routes == set(described["paths"])


def test_every_call_says_what_it_does_and_who_may(described: dict[str, Any]) -> None:
    for path, calls in described["paths"].items():
        for method, call in calls.items():
            if method in ("get", "post"):
                assert call.get("summary"), f"{method} {path} has no summary"
                assert (
                    {"401", "default"} & set(call["responses"]) or "enrol" in path or path.endswith("/device")
                ), path


def test_the_description_sends_nobody_to_a_foreign_host(world: World) -> None:
    text = world.get(None, "/api/v1/openapi.json").text + world.get(None, "/api/v1/").text
    for word in ("cdn", "unpkg", "jsdelivr", "googleapis", "swagger.io"):
        assert word not in text


def test_the_guide_lists_every_call(world: World, described: dict[str, Any]) -> None:
    page = world.get(None, "/api/v1/").text
    assert all(path.replace("<", "&lt;") in page for path in described["paths"])
