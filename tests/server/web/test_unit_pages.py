"""The page of one household, point or roster entry: what the register says, what was found day by day."""

import re
from collections.abc import Callable

import pytest

from tests.server.api.world import OTHER_VILLAGE, TOWN, VILLAGE, VILLAGE_2, World, add_staff, sample, today
from tests.server.web.test_pages import csrf

H2 = f"/households/H2?village={VILLAGE}"


def links(page: str) -> set[str]:
    return set(re.findall(r'href="([^"]+)"', page))


def test_a_household_shows_its_masked_entry_its_state_and_what_was_found(world: World) -> None:
    page = world.signed_in("bai").get(H2).text
    assert "<h1>户号 H2 欧阳**</h1>" in page
    assert "示范一村" in page and "154****0002" in page and "幸福小区2号楼***" in page
    assert re.search(r"有效走访次数</dt><dd>1<", page) and re.search(r"最近结果</dt><dd>无人应答<", page)
    [row] = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", page, re.S)
    assert world.ids["no_answer"] in row
    for cell in ("无人应答", "已采纳", "filler-1"):
        assert cell in row
    for secret in ("欧阳示范", "15400000002", "501室"):
        assert secret not in page


def test_the_worst_problem_of_a_refused_visit_stands_in_its_row(world: World) -> None:
    page = world.signed_in("bai").get(f"/households/H1?village={VILLAGE}").text
    row = next(each for each in re.findall(r"<tr>.*?</tr>", page, re.S) if world.ids["too_hot"] in each)
    assert "待更正" in row and "<strong>必须改</strong> 体温应在32.0～43.0之间" in row


def test_the_lists_and_a_record_lead_to_the_unit_of_the_right_village(world: World) -> None:
    client = world.signed_in("dong")
    not_reached = client.get("/not-reached").text
    assert H2 in links(not_reached)
    assert f"/households/CH1?village={OTHER_VILLAGE}" in links(not_reached)
    assert H2 in links(client.get(f"/records/{world.ids['no_answer']}").text)
    assert H2 in links(client.get("/records?household=H2").text)
    assert "/roster/aixin:1" in links(client.get(f"/records/{world.ids['delivery']}").text)
    assert f"/points/P2?village={VILLAGE}" in links(client.get("/points").text)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"/points/P1?village={VILLAGE}", ("消毒点 P1 村委会", "有效消毒次数", "24 小时")),
        ("/roster/aixin:1", ("花名册序号 aixin:1 示**", "有效发放次数", "已领齐")),
        (f"/households/CH1?village={OTHER_VILLAGE}", ("还没有记录",)),
    ],
)
def test_other_units_and_an_unvisited_household_have_their_page(
    world: World, path: str, words: tuple[str, ...]
) -> None:
    answer = world.signed_in("dong").get(path)
    assert answer.status_code == 200
    for each in words:
        assert each in answer.text


def test_a_household_that_only_a_visit_knows_has_its_page(world: World) -> None:
    record_id = world.push(sample("household_visit/pass/new_household", device_id=world.device_id))
    world.follow()
    client = world.signed_in("bai")
    address = next(each for each in links(client.get(f"/records/{record_id}").text) if "/households/" in each)
    page = client.get(address)
    assert page.status_code == 200 and "台账中没有，仅由记录得知" in page.text
    assert record_id in page.text


def test_a_household_in_full_is_shown_once_for_a_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.signed_in("dong")
    token = csrf(client.get(H2).text)
    in_full = f"/households/H2/in-full?village={VILLAGE}"
    assert client.post(in_full, data={"reason": "流调核实"}).status_code == 403
    assert client.post(in_full, data={"csrf_token": token, "reason": ""}).status_code == 422
    answer = client.post(in_full, data={"csrf_token": token, "reason": "流调核实"})
    assert "欧阳示范" in answer.text and answer.headers["Cache-Control"] == "no-store"
    assert f"household {VILLAGE}/H2; reason: 流调核实" in caplog.text
    assert "欧阳示范" not in client.get(H2).text
    clerk = world.signed_in("bai")
    assert "in-full" not in clerk.get(H2).text
    own = {"csrf_token": csrf(clerk.get(H2).text), "reason": "流调核实"}
    assert clerk.post(in_full, data=own).status_code == 403


@pytest.fixture
def long_history(new_world: Callable[..., World]) -> World:
    """BH1 of the second village was visited 51 times."""
    world = new_world()
    visits = {"day": today(), "device_id": world.device_id, "household_id": "BH1"}
    for record in [sample("household_visit/pass/no_answer", **visits) for _ in range(51)]:
        world.push({**record, "village_code": VILLAGE_2})
    world.follow()
    return world


def test_long_histories_are_read_page_by_page(long_history: World) -> None:
    client = long_history.signed_in("dong")
    first = client.get(f"/households/BH1?village={VILLAGE_2}").text
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward
    second = client.get(onward[1].replace("&amp;", "&")).text
    rows = [
        re.findall(r'<th scope="row" class="nowrap whole"><a href="([^"]+)"', each)
        for each in (first, second)
    ]
    assert [len(each) for each in rows] == [50, 1]
    assert len({*rows[0], *rows[1]}) == 51


def test_a_long_history_in_full_is_paged_and_each_page_put_on_record(
    long_history: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = long_history.signed_in("dong")
    token = csrf(client.get(H2).text)
    in_full = f"/households/BH1/in-full?village={VILLAGE_2}"
    first = client.post(in_full, data={"csrf_token": token, "reason": "流调核实"}).text
    action = re.search(r'action="([^"]+cursor=[^"]+)"', first)
    assert action and 'name="reason" value="流调核实"' in first
    onward = action[1].replace("&amp;", "&")
    assert client.post(onward, data={"csrf_token": token}).status_code == 422
    second = client.post(onward, data={"csrf_token": token, "reason": "流调核实"}).text
    assert "示范丙" in second and 'class="nowrap whole"' in second
    assert f'action="{in_full}"' in second and not re.search(r'action="[^"]+cursor=', second)
    assert caplog.text.count(f"household {VILLAGE_2}/BH1; reason: 流调核实") == 2


def test_an_exception_leads_to_its_household_for_those_who_may_read_the_register(world: World) -> None:
    doctor = "yi"
    with world.app.app_context():
        world.tokens[doctor] = add_staff(world.gridbook, doctor, "village_doctor", TOWN)
    found = world.get("dong", "/api/v1/exceptions?kind=point_overdue").json["items"]
    of_town = next(item for item in found if item["village_code"] == VILLAGE_2)
    path, point = f"/exceptions/{of_town['id']}", of_town["about"]["point_id"]
    assert f"/points/{point}?village={VILLAGE_2}" in links(world.signed_in("bai").get(path).text)
    seen = links(world.signed_in(doctor).get(path).text)
    assert f"/records?point={point}" in seen and not any("/points/" in each for each in seen)


@pytest.mark.parametrize(
    ("who", "path", "status", "words"),
    [
        ("dong", "/households/nobody", 404, "没有编号为 nobody"),
        ("dong", f"/households/H2?village={OTHER_VILLAGE}", 404, "没有编号为 H2"),
        ("dong", "/households/H2?cursor=broken", 422, "游标"),
        ("dong", "/fillers/filler-1", 404, "没有这个地址"),
        ("ba", "/households/H2", 404, "不在您的辖区"),
        ("ba", H2, 403, "不在您的辖区"),
        ("admin", H2, 403, "没有权限"),
    ],
)
def test_what_is_not_there_or_not_yours_is_said_in_a_sentence(
    world: World, who: str, path: str, status: int, words: str
) -> None:
    answer = world.signed_in(who).get(path)
    assert answer.status_code == status
    assert words in answer.text and "Traceback" not in answer.text
