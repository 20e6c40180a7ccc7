"""What the API says to nonsense: the right status, problem details, a sentence in the reader's language,
never a trace."""

import base64
from typing import Any
from urllib.parse import quote

import flask_smorest
import pytest

from server.api.blueprint import Blueprint
from tests.server.api.world import VILLAGE, World, sample

NONSENSE = [
    ("/api/v1/records?limit=0", 422, "limit"),
    ("/api/v1/records?limit=-1", 422, "limit"),
    ("/api/v1/records?limit=501", 422, "limit"),
    ("/api/v1/records?limit=many", 422, "limit"),
    ("/api/v1/records?limit=1e9", 422, "limit"),
    ("/api/v1/records?from=2020-02-30", 422, "from"),
    ("/api/v1/records?from=21.02.2020", 422, "from"),
    ("/api/v1/records?from=2020-02-21&to=2020-02-01", 422, "from"),
    ("/api/v1/records?status=lost", 422, "status"),
    ("/api/v1/records?colour=red", 422, "colour"),
    ("/api/v1/records?text=" + "x" * 81, 422, "text"),
    ("/api/v1/figures?day=yesterday", 422, "day"),
    ("/api/v1/figures?area=37", 422, "area"),
    ("/api/v1/figures?area=370304102%00", 422, "area"),
    ("/api/v1/indicators/A4/trend", 422, "from"),
    ("/api/v1/indicators/A4/trend?from=2020-01-01&to=2022-01-01", 422, "to"),
    ("/api/v1/todo/points?at=now", 422, "at"),
    ("/api/v1/todo/points?at=2020-02-21T16:00:00", 422, "at"),
    ("/api/v1/forms/household_visit?as=poem", 422, "as"),
]


@pytest.mark.parametrize(("path", "status", "parameter"), NONSENSE)
def test_a_wrong_parameter_is_named(world: World, path: str, status: int, parameter: str) -> None:
    answer = world.get("dong", path)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert parameter in answer.json["errors"]["query"]
    assert answer.json["detail"].startswith(f"{parameter}：")


ABSENT = [
    ("/api/v1/figures?area=370304999", "unknown-area"),
    ("/api/v1/figures?area=999999", "unknown-area"),
    ("/api/v1/forms/poem", "unknown-form"),
    ("/api/v1/forms/household_visit?version=77", "unknown-form"),
    ("/api/v1/export/poem.csv", "unknown-form"),
    ("/api/v1/export/..%2f..%2fetc%2fpasswd.csv", "not-found"),
    ("/api/v1/export/household_visit.csv?table=rep_cat", "unknown-table"),
    ("/api/v1/records/record:household_visit:20200221:nobody", "unknown-record"),
    ("/api/v1/records/%00", "unknown-record"),
    ("/api/v1/records/🏠", "unknown-record"),
    ("/api/v1/indicators/Z9/trend?from=2020-02-01&to=2020-02-02", "unknown-indicator"),
    ("/api/v1/registers/cats", "unknown-register"),
    ("/api/v1/nothing", "not-found"),
]


@pytest.mark.parametrize(("path", "code"), ABSENT)
def test_what_is_not_there_is_a_404_in_words(world: World, path: str, code: str) -> None:
    answer = world.get("dong", path)
    assert (answer.status_code, answer.json["code"]) == (404, code)
    assert answer.json["type"] == f"urn:gridbook:problem:{code}"


def cursors() -> list[str]:
    made = base64.urlsafe_b64encode(b'["records:other","a","b","c"]').decode().rstrip("=")
    return ["x", "!!!!", "AAAA", made, "é", "0" * 1999, base64.urlsafe_b64encode(b"[" * 500).decode()]


@pytest.mark.parametrize("cursor", cursors())
@pytest.mark.parametrize(
    "path",
    ["records", "quarantine", "registers/households", "todo/not-reached", "todo/roster", "todo/points"],
)
def test_a_broken_cursor_is_refused_in_words(world: World, path: str, cursor: str) -> None:
    answer = world.get("dong", f"/api/v1/{path}", query_string={"cursor": cursor})
    assert (answer.status_code, answer.json["code"]) == (422, "bad-cursor")


def test_a_cursor_of_another_query_is_refused(world: World) -> None:
    cursor = world.get("dong", "/api/v1/records?limit=1").json["next_cursor"]
    assert world.get("dong", f"/api/v1/records?limit=1&cursor={cursor}").status_code == 200
    for other in ("&form=household_visit", f"&area={VILLAGE}", "&text=x"):
        assert (
            world.get("dong", f"/api/v1/records?limit=1&cursor={cursor}{other}").json["code"] == "bad-cursor"
        )
    assert world.get("dong", f"/api/v1/todo/roster?cursor={cursor}").json["code"] == "bad-cursor"


def test_the_sentence_is_in_the_readers_language(world: World) -> None:
    def detail(language: str) -> Any:
        return world.get(
            "dong", "/api/v1/figures?area=370304999", headers={"Accept-Language": language}
        ).json["detail"]

    assert detail("zh-CN,zh;q=0.9").startswith("没有代码为")
    assert detail("en-GB,en;q=0.8").startswith("No town or village")
    assert detail("fr") == detail("zh")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'{"status":1}', "application/json"),
        (b'{"status":"burnt"}', "application/json"),
        (b'{"status":"returned","comment":7}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"status":"returned","comment":"ok","more":1}', "application/json"),
        (b"[" * 10_000, "application/json"),
        (b"status=returned", "text/plain"),
    ],
)
def test_a_broken_review_is_refused_and_writes_nothing(world: World, body: bytes, kind: str) -> None:
    before = world.gridbook.store.open("office").info()["update_seq"]
    answer = world.post("bai", f"/api/v1/records/{world.ids['visit']}/review", data=body, content_type=kind)
    assert answer.status_code in (400, 415, 422)
    assert answer.content_type == "application/problem+json"
    assert world.gridbook.store.open("office").info()["update_seq"] == before


def test_a_wrong_method_is_named(world: World) -> None:
    answer = world.post("dong", "/api/v1/records")
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")


def test_a_failure_inside_shows_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.readmodel import queries

    def fail(*_: object) -> None:
        raise RuntimeError("secret detail of the inside")

    monkeypatch.setattr(queries, "figures", fail)
    monkeypatch.setitem(world.app.config, "TESTING", False)
    monkeypatch.setitem(world.app.config, "PROPAGATE_EXCEPTIONS", False)
    for path in ("/api/v1/figures", "/"):
        answer = world.get("dong", path)
        assert answer.status_code == 500
        assert "secret" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize("record_id", ["a/b", "a?b", "a%2Fb", "中/文 #1"])
def test_a_record_is_found_whatever_its_id(world: World, record_id: str) -> None:
    record = {**sample("household_visit/pass/uneventful", device_id=world.device_id), "_id": record_id}
    world.push(record)
    world.follow()
    path = f"/api/v1/records/{quote(record_id, safe='')}"
    assert world.get("dong", path).json["record_id"] == record_id
    assert world.get("dong", f"{path}/verdict").json["status"] == "quarantined"
    assert world.signed_in("dong").get(f"/records/{quote(record_id, safe='')}").status_code == 200


def test_every_part_of_the_api_has_the_same_kind_of_blueprint(world: World) -> None:
    parts = [part for part in world.app.blueprints.values() if isinstance(part, flask_smorest.Blueprint)]
    assert {type(part) for part in parts} == {Blueprint}
