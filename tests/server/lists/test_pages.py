"""The clerk's pages and the API about superiors' lists, over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from tests.server.api.world import World
from tests.server.lists import pushed

API = "/api/v1/lists"


def upload(data: bytes, name: str = "名单.xlsx", **fields: str) -> dict[str, Any]:
    return {"template": "returnees", **fields, "file": (io.BytesIO(data), name)}


def import_list(
    world: World,
    who: str,
    data: bytes,
    name: str = "名单.xlsx",
    headers: Mapping[str, str] | None = None,
    **query: str,
) -> Any:
    query = {"template": "returnees", **query}
    headers = {**world.headers(who), **(headers or {})}
    file = {"file": (io.BytesIO(data), name)}
    return world.app.test_client().post(API, query_string=query, data=file, headers=headers)


def imported(world: World, data: bytes | None = None, **fields: str) -> dict[str, Any]:
    """The list as the API tells it."""
    job = world.done("dong", import_list(world, "dong", data or pushed.file(pushed.workbook()), **fields))
    assert job["state"] == "done", job
    found: dict[str, Any] = world.get("dong", f"{API}/{job['made']['list_id']}").json
    return found


def answered(world: World, path: str, reason: str) -> dict[str, Any]:
    job = world.done("dong", world.post("dong", f"{path}/answers", json={"reason": reason}))
    assert job["state"] == "done", job
    found: dict[str, Any] = world.get("dong", path).json["answers"][-1]
    return found


def csrf(client: FlaskClient, path: str) -> str:
    page = client.get(path)
    assert page.status_code == 200, page.text
    return str(page.text.split('name="csrf_token" value="')[1].split('"')[0])


# The API


def test_a_list_goes_from_import_to_answer(world: World) -> None:
    made = imported(world)
    path = f"{API}/{made['list_id']}"
    assert (made["counts"]["already_managed"], made["counts"]["open"]) == (1, 3)
    rows = world.get("dong", f"{path}/rows?outcome=open").json["items"]
    assert [each["row"] for each in rows] == [4, 5, 6]
    row = world.get("dong", f"{path}/rows/4").json
    assert row["values"]["name"] == "张**" and row["candidates"][0]["values"]["phone"] == "154****0004"
    body = {"seen": 0, "outcome": "missed", "candidate": row["candidates"][0]["key"], "remark": "已补管"}
    assert world.post("dong", f"{path}/rows/4/decision", json=body).status_code == 201
    assert world.post("dong", f"{path}/rows/4/decision", json=body).json["code"] == "list-decided-meanwhile"
    answer = answered(world, path, "反馈市指挥部")
    assert (answer["n"], answer["counts"]["missed"]) == (1, 1)
    file = world.get("dong", f"{path}/answers/1/file?reason=反馈市指挥部")
    sheet = openpyxl.load_workbook(io.BytesIO(file.data)).worksheets[0]
    assert (sheet["G4"].value, sheet["J4"].value) == ("漏排（现补管）", "已补管")
    found = world.get("dong", path).json
    assert sum(found["counts"].values()) == found["names"] == 4


def test_a_page_that_looks_twice_before_it_is_sent_on_says_once_what_was_made(world: World) -> None:
    job = world.done("dong", import_list(world, "dong", pushed.file(pushed.workbook())))
    client = world.signed_in("dong")
    for _ in range(2):
        sent_on = client.get(f"/jobs/{job['job_id']}")
    assert client.get(sent_on.location).text.count("已导入名单") == 1


def test_every_download_is_put_on_record_and_needs_a_reason_and_the_right(world: World) -> None:
    path = f"{API}/{imported(world)['list_id']}"
    answered(world, path, "反馈上级")
    assert world.get("dong", f"{path}/answers/1/file").json["code"] == "reason-missing"
    assert world.get("bai", f"{path}/answers/1/file?reason=给我看看").status_code == 403
    assert world.get("dong", f"{path}/answers/1/file?reason=反馈上级一").status_code == 200
    log = (world.gridbook.settings.data / "unmasked.log").read_text("utf-8").splitlines()
    last = json.loads(log[-1])
    assert (last["username"], last["reason"]) == ("dong", "反馈上级一")
    assert last["what"].endswith("answer 1")


def test_a_dry_run_tells_and_keeps_nothing(world: World) -> None:
    before = len(world.get("dong", API).json["items"])
    data = pushed.file(pushed.workbook([[1, "示范丁", int(pushed.DING_ID)]]))
    job = world.done("dong", import_list(world, "dong", data, dry_run="1"))
    told = world.get("dong", job["file"]["href"]).json
    assert (job["state"], job["made"], told["names"]) == ("done", None, 1)
    assert told["rows"][0]["remarks"][0]["message"]["en"].startswith("Excel stored the id number")
    assert len(world.get("dong", API).json["items"]) == before
    assert list((world.gridbook.settings.data / "list-drafts").iterdir()) == []


@pytest.mark.parametrize(
    ("who", "status"), [("dong", 200), ("bai", 200), ("cun", 403), ("admin", 403), (None, 401)]
)
def test_who_may_read_lists(world: World, who: str | None, status: int) -> None:
    assert world.get(who, API).status_code == status


def test_a_town_cannot_import_or_answer_for_the_district(world: World) -> None:
    made = imported(world)
    refused = import_list(world, "bai", pushed.file(pushed.workbook()))
    assert refused.json["code"] == "outside-area"
    assert (
        world.post("bai", f"{API}/{made['list_id']}/answers", json={"reason": "反馈上级"}).status_code == 403
    )
    assert world.get("ba", f"{API}/{made['list_id']}/rows/4").json["code"] == "list-row-unknown"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"template": "nothing"}, 404, "list-template-unknown"),
        ({"columns": "name:x"}, 422, "invalid"),
        ({"columns": "nobody:1"}, 422, "invalid"),
        ({"supersedes": "2000-0001"}, 404, "list-unknown"),
        ({"colour": "red"}, 422, "invalid"),
    ],
)
def test_a_wrong_import_says_what_is_wrong(
    world: World, fields: dict[str, str], status: int, code: str
) -> None:
    answer = import_list(world, "dong", pushed.file(pushed.workbook()), **fields)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_sheet_that_is_not_there_is_told_by_the_job(world: World) -> None:
    job = world.done("dong", import_list(world, "dong", pushed.file(pushed.workbook()), sheet="没有的表"))
    assert (job["state"], job["failure"]["code"]) == ("failed", "list-refused")
    assert "没有工作表“没有的表”，有：返博人员、说明" in job["failure"]["detail"]


def test_an_upload_of_200_mb_is_refused_in_words(world: World) -> None:
    answer = import_list(world, "dong", b"0" * (200 << 20), "名单.csv")
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")
    assert "16 MB" in answer.json["detail"]
    drafts = world.gridbook.settings.data / "list-drafts"
    assert not drafts.exists() or list(drafts.iterdir()) == []


def test_rows_are_read_page_by_page(world: World) -> None:
    path = f"{API}/{imported(world)['list_id']}/rows?limit=3"
    first = world.get("dong", path).json
    second = world.get("dong", f"{path}&cursor={first['next_cursor']}").json
    assert [each["row"] for each in first["items"] + second["items"]] == [3, 4, 5, 6]
    assert second["next_cursor"] is None
    assert (
        world.get("dong", f"{path}&cursor={first['next_cursor']}&outcome=open").json["code"] == "bad-cursor"
    )


# The pages


def test_the_import_shows_everything_before_it_keeps_anything(world: World) -> None:
    client = world.signed_in("dong")
    data = pushed.file(pushed.workbook([[1, "示范丁", int(pushed.DING_ID), "12"], [2, "示范戊"]]))
    fields = {**upload(data), "csrf_token": csrf(client, "/lists/import")}
    answer = client.post("/lists/import", data=fields)
    assert answer.status_code == 303, answer.text
    assert "data-job-events" in client.get(answer.location).text, "it is being read"
    world.work()
    page = client.get(answer.location)
    assert "C 身份证号码：身份证号被 Excel 当作数字保存，后面的数字已变成 0" in page.text
    assert "D 联系电话：电话“12”无效" in page.text
    assert "示范丁" not in page.text, "names are masked"
    form = {"csrf_token": csrf(client, answer.location)}
    kept = client.post(answer.location, data=form)
    assert kept.status_code == 303, kept.text
    assert client.post(answer.location, data=form).location == kept.location, "a double click is one job"
    assert "data-job-events" in client.get(kept.location).text
    assert "导入 名单.xlsx" in client.get("/lists").text
    world.work()
    made = client.get(kept.location)
    assert made.status_code == 303 and made.location.startswith("/lists/")
    assert "已导入名单" in client.get(made.location).text


def test_a_file_that_cannot_be_read_is_told_on_the_preview(world: World) -> None:
    client = world.signed_in("dong")
    fields = {**upload("甲,乙\n示范丁,1\n".encode(), "名单.csv"), "csrf_token": csrf(client, "/lists/import")}
    answer = client.post("/lists/import", data=fields)
    world.work()
    page = client.get(answer.location)
    assert page.status_code == 200 and "没有找到姓名或身份证号一列" in page.text
    columns = {"column-name": "0", "csrf_token": csrf(client, answer.location)}
    again = client.post(f"{answer.location}/again", data=columns)
    world.work()
    assert "读到 1 人" in client.get(again.location).text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_a_list_show_masked_names_only(world: World, language: str) -> None:
    made = imported(world)
    client = world.signed_in("dong")
    client.post("/language", data={"lang": language, "next": "/"})
    for path in ("/lists", f"/lists/{made['list_id']}", f"/lists/{made['list_id']}/rows/4", "/lists/import"):
        page = client.get(path)
        assert page.status_code == 200, page.text
        assert "张三峰" not in page.text and "15400000004" not in page.text


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "yesterday"])
def test_an_answer_is_as_of_a_moment_that_there_is(world: World, moment: str) -> None:
    made = imported(world)
    client = world.signed_in("dong")
    fields = {"csrf_token": csrf(client, f"/lists/{made['list_id']}"), "reason": "反馈上级", "as_of": moment}
    assert client.post(f"/lists/{made['list_id']}/answers", data=fields).status_code == 422
    told = {"json": {"reason": "反馈上级", "as_of": f"{moment}:00+14:00"}}
    assert world.post("dong", f"{API}/{made['list_id']}/answers", **told).status_code == 422


def test_one_name_in_full_needs_a_reason(world: World) -> None:
    made = imported(world)
    client = world.signed_in("dong")
    path = f"/lists/{made['list_id']}/rows/4"
    token = csrf(client, path)
    assert client.post(f"{path}/unmasked", data={"csrf_token": token}).status_code == 422
    page = client.post(f"{path}/unmasked", data={"csrf_token": token, "reason": "电话核实"})
    assert "张三峰" in page.text and "15400000004" in page.text
