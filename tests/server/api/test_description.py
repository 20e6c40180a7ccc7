"""The API's own description: valid, complete, and naming no foreign host."""

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.server.api.world import World


@pytest.fixture(scope="module")
def described(world: World) -> dict[str, Any]:
    answer = world.get(None, "/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


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
