"""What the API says to nonsense: the right status, problem details, a sentence in the reader's language,
never a trace."""

import base64
import io
from typing import Any
from urllib.parse import quote

import flask_smorest
import pytest

from server.api.blueprint import Blueprint
from server.readmodel import time_limit
from tests.server.api.questions import ask, prepared
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
    ("/api/v1/figures?day=0002-02-21", 422, "day"),
    ("/api/v1/bulletins/preview?day=0001-01-01", 422, "day"),
    ("/api/v1/disinfection/records?day=0001-01-01", 422, "day"),
    ("/api/v1/standing?day=9999-12-31", 422, "day"),
    ("/api/v1/figures?area=37", 422, "area"),
    ("/api/v1/figures?area=370304102%00", 422, "area"),
    ("/api/v1/indicators/A4/trend", 422, "from"),
    ("/api/v1/indicators/A4/trend?from=2020-01-01&to=2022-01-01", 422, "to"),
    ("/api/v1/todo/points?at=now", 422, "at"),
    ("/api/v1/todo/points?at=2020-02-21T16:00:00", 422, "at"),
    ("/api/v1/todo/points?at=9999-12-31T23:59:59Z", 422, "at"),
    ("/api/v1/todo/points?at=0001-01-01T00:00:00%2B14:00", 422, "at"),
    ("/api/v1/exceptions?kind=points_overdue", 422, "kind"),
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


@pytest.fixture(scope="module")
def ids(world: World) -> dict[str, str]:
    return prepared(world)


def lists_by_page(world: World) -> list[str]:
    """Every call of the description that takes a cursor."""
    paths = world.get(None, "/api/v1/openapi.json").json["paths"]
    return [
        path
        for path, item in paths.items()
        if "cursor" in {each["name"] for each in item.get("get", {}).get("parameters", [])}
    ]


def test_a_broken_cursor_is_refused_in_words_wherever_there_are_pages(
    world: World, ids: dict[str, str]
) -> None:
    paths = lists_by_page(world)
    assert len(paths) > 8
    for path in paths:
        for cursor in cursors():
            answer = ask(world, path, ids, query={"cursor": cursor})
            assert (answer.status_code, answer.json["code"]) == (422, "bad-cursor"), (path, cursor)


def test_no_list_takes_another_list_s_cursor(world: World, ids: dict[str, str]) -> None:
    paths = lists_by_page(world)
    given = {path: ask(world, path, ids, query={"limit": "1"}).json["next_cursor"] for path in paths}
    assert len([cursor for cursor in given.values() if cursor]) > 5
    for path in paths:
        for other, cursor in given.items():
            if cursor and other != path and {path, other} != {"/api/v1/records", "/api/v1/quarantine"}:
                answer = ask(world, path, ids, query={"cursor": cursor})
                assert answer.json.get("code") == "bad-cursor", (path, other)


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


@pytest.mark.parametrize("path", ["records?text=x", "quarantine?rule=V002", "registers/households?text=x"])
def test_filters_that_would_read_everything_are_broken_off_and_said_so(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(time_limit, "PAGE_S", -1)
    monkeypatch.setattr(time_limit, "STEPS", 1)
    answer = world.get("dong", f"/api/v1/{path}", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (422, "too-wide")
    assert "fewer days" in answer.json["detail"]
    page = world.signed_in("dong").get("/records?text=x")
    assert page.status_code == 422 and "镇、村" in page.text
    monkeypatch.undo()
    assert world.get("dong", f"/api/v1/{path}").status_code == 200


@pytest.mark.parametrize("path", ["lists?template=returnees", "webhooks", "enrol"])
def test_an_upload_of_200_mb_is_refused_before_it_is_read(world: World, path: str) -> None:
    headers = {**world.headers("admin" if path == "webhooks" else "dong"), "Accept-Language": "en"}
    answer = world.app.test_client().post(
        f"/api/v1/{path}",
        headers=headers,
        content_type="multipart/form-data; boundary=x" if "lists" in path else "application/json",
        input_stream=Large(),
    )
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")
    assert "16 MB" in answer.json["detail"]


class Large(io.RawIOBase):
    """A body of 200 MB that must not be read to its end."""

    size, place = 200 << 20, 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = {0: 0, 1: self.place, 2: self.size}[whence] + offset
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: Any) -> int:
        self.place += len(buffer)
        assert self.place < 32 << 20, "the whole upload is read"
        buffer[:] = bytes(len(buffer))
        return len(buffer)
