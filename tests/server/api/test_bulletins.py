"""Bulletins over the API: Dong freezes for the district, Bai of a town may neither freeze nor read, the
administrator reads."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from server.bulletins import message, wording
from server.bulletins.commands import verify
from server.people import staff, tokens
from tests.server.api.world import ROOT, World, today

YESTERDAY = (today() - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def frozen(world: World) -> dict[str, Any]:
    answer = world.post("dong", "/api/v1/bulletins", json={"day": YESTERDAY})
    assert answer.status_code == 201, answer.text
    world.follow()
    return dict(answer.json)


def test_the_second_click_is_told_the_first_one_s_number(world: World, frozen: dict[str, Any]) -> None:
    answer = world.post("dong", "/api/v1/bulletins", json={"day": YESTERDAY})
    assert (answer.status_code, answer.json["code"]) == (409, "bulletin-exists")
    assert frozen["number"] in answer.json["detail"] and "Dong" in answer.json["detail"]


def test_tomorrow_s_bulletin_is_refused_with_its_cut_off(world: World) -> None:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    answer = world.post("dong", "/api/v1/bulletins", json={"day": tomorrow})
    assert (answer.status_code, answer.json["code"]) == (409, "bulletin-too-early")
    assert f"{tomorrow} 16:00" in answer.json["detail"]


@pytest.mark.parametrize("who", ["bai", "cun", "admin"])
def test_only_the_district_s_staff_freeze(world: World, who: str) -> None:
    answer = world.post(who, "/api/v1/bulletins", json={"day": YESTERDAY})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_a_token_without_the_scope_is_told_so_and_not_that_the_role_is_too_small(world: World) -> None:
    people = world.gridbook.people
    dong = staff.by_username(people, "dong")
    assert dong is not None
    token = tokens.create(people, dong, label="reading", scopes=tokens.READING, days=1)
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    answer = world.app.test_client().post("/api/v1/bulletins", json={"day": YESTERDAY}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "outside-scope")
    assert "flask token create --scope bulletin.freeze" in answer.json["detail"]


def test_whoever_sees_a_part_of_the_district_does_not_read_its_bulletin(
    world: World, frozen: dict[str, Any]
) -> None:
    for path in ("", f"/{frozen['number']}", f"/{frozen['number']}/pdf", "/preview/xlsx"):
        answer = world.get("bai", f"/api/v1/bulletins{path}")
        assert (answer.status_code, answer.json["code"]) == (403, "outside-area")
    assert world.get("admin", f"/api/v1/bulletins/{frozen['number']}").status_code == 200


def test_a_bulletin_tells_that_it_is_intact_and_what_came_since(world: World, frozen: dict[str, Any]) -> None:
    found = world.get("dong", f"/api/v1/bulletins/{frozen['number']}").json
    assert (found["provisional"], found["damage"]) == (False, None)
    assert found["bulletin"]["digest"] == frozen["digest"]
    assert found["late"]["370304"]["A2_visits"] == 1  # yesterday's visit was received today


@pytest.mark.parametrize("number", ["2020-999", "poem", "%00", "1" * 300])
def test_a_number_that_nobody_froze_is_not_found(world: World, number: str) -> None:
    answer = world.get("dong", f"/api/v1/bulletins/{number}")
    assert (answer.status_code, answer.json["code"]) == (404, "bulletin-unknown")


@pytest.mark.parametrize("body", [{"day": "2020-02-30"}, {"day": 7}, {"dya": YESTERDAY}, [], "x"])
def test_a_request_that_makes_no_sense_is_refused(world: World, body: Any) -> None:
    assert world.post("dong", "/api/v1/bulletins", json=body).status_code == 422


def test_a_session_needs_its_csrf_token_to_freeze(world: World) -> None:
    answer = world.signed_in("dong").post("/api/v1/bulletins", json={"day": YESTERDAY})
    assert answer.status_code == 403


def test_every_output_of_a_preview_says_that_it_is_provisional(world: World) -> None:
    base = "/api/v1/bulletins/preview"
    assert world.get("dong", base).json["provisional"] is True
    assert "临时数据" in world.get("dong", f"{base}/text").text
    for kind in ("pdf", "xlsx"):
        answer = world.get("dong", f"{base}/{kind}")
        assert answer.status_code == 200
        assert "provisional" in answer.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(world.get("dong", f"{base}/xlsx").data))
    assert book.sheetnames == ["①日报汇总表", "②村级明细", "⑰数据质量页"]
    assert all(page.cell(3, page.max_column).value.startswith("临时数据") for page in book)


def test_the_workbook_holds_the_frozen_figures(world: World, frozen: dict[str, Any]) -> None:
    number = frozen["number"]
    content = world.get("dong", f"/api/v1/bulletins/{number}").json["content"]
    book = load_workbook(io.BytesIO(world.get("dong", f"/api/v1/bulletins/{number}/xlsx").data))
    page = book["①日报汇总表"]
    heads = [cell.value for cell in page[4]]
    total = dict(zip(heads, (cell.value for cell in page[5]), strict=True))
    assert total["应走访户（户）"] == content["figures"]["370304"]["A1"]["value"]
    assert f"日报第{number}号" in page.cell(3, page.max_column).value


def test_the_pdf_is_a4_and_names_number_and_district(world: World, frozen: dict[str, Any]) -> None:
    answer = world.get("dong", f"/api/v1/bulletins/{frozen['number']}/pdf")
    assert answer.data.startswith(b"%PDF-") and b"[ 0 0 595.2756 841.8898 ]" in answer.data
    assert answer.data == world.get("dong", f"/api/v1/bulletins/{frozen['number']}/pdf").data


def test_the_text_for_a_group_holds_figures_and_nobody_s_name_but_the_clerk_s(
    world: World, frozen: dict[str, Any]
) -> None:
    text = world.get("dong", f"/api/v1/bulletins/{frozen['number']}/text").text
    assert text.startswith("【博山区网格日报】") and "应走访户12户" in text
    assert frozen["digest"][:8] in text
    for secret in ("老王", "示范丙", "张三丰", "1540000", "幸福小区"):
        assert secret not in text


def test_a_correction_needs_a_reason_and_takes_the_next_number(world: World, frozen: dict[str, Any]) -> None:
    path = f"/api/v1/bulletins/{frozen['number']}/correction"
    assert world.post("dong", path, json={"reason": "  "}).json["code"] == "bulletin-reason"
    made = world.post("dong", path, json={"reason": "补录<b>一户</b>"})
    world.follow()
    assert made.status_code == 201
    assert (made.json["replaces"], made.json["number"][-3:]) == (frozen["number"], "002")
    again = world.post("dong", path, json={"reason": "再更正一次"})
    assert (again.status_code, again.json["code"]) == (409, "bulletin-replaced")
    assert world.get("dong", f"/api/v1/bulletins/{made.json['number']}/pdf").status_code == 200
    newest, oldest = world.get("dong", "/api/v1/bulletins").json["items"]
    assert (newest["number"], oldest["replaced_by"]) == (made.json["number"], made.json["number"])


def test_the_command_verifies_and_finds_damage(world: World, frozen: dict[str, Any]) -> None:
    runner = world.app.test_cli_runner()
    good = runner.invoke(args=["bulletin", "verify"])
    assert good.exit_code == 0 and "intact" in good.output
    office = world.gridbook.store.open("office")
    doc = office.get(f"bulletin:{frozen['number']}")
    office.put({**doc, "signature": "0" * 64}, writer="mallory")
    bad = runner.invoke(args=["bulletin", "verify"])
    assert bad.exit_code == 1 and f"{frozen['number']}: signature" in bad.output
    office.put({**office.get(doc["_id"]), "signature": doc["signature"]}, writer="server")
    assert verify.help


def test_the_layout_s_figures_are_declared(world: World, frozen: dict[str, Any]) -> None:
    content = world.get("dong", f"/api/v1/bulletins/{frozen['number']}").json["content"]
    layout = wording.layout(ROOT / "forms")
    for group in layout["message"]:
        assert wording.declared(content, group["indicators"]) == group["indicators"]
    assert wording.declared(content, layout["towns"]) == layout["towns"]
    unknown = [{"title": {"zh": "空"}, "indicators": ["Z9"]}]
    assert "空" not in message.message(json.loads(json.dumps(content)), unknown)
