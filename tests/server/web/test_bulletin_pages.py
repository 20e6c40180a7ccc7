"""The clerk's way through the pages: see the preview, freeze with one click, correct."""

from __future__ import annotations

import re
from datetime import timedelta

from flask.testing import FlaskClient

from tests.server.api.world import DISTRICT, VILLAGE, World, sample, today
from tests.server.web.test_figure_pages import links
from tests.server.web.test_pages import csrf

YESTERDAY = (today() - timedelta(days=1)).isoformat()


def test_one_click_from_the_list_to_the_frozen_bulletin(world: World) -> None:
    client = world.signed_in("dong")
    page = client.get(f"/bulletins?day={YESTERDAY}").text
    answer = client.post("/bulletins", data={"csrf_token": csrf(page), "day": YESTERDAY})
    assert answer.status_code == 303
    number = answer.headers["Location"].rpartition("/")[2]
    world.follow()
    page = client.get(f"/bulletins/{number}").text
    assert f"第 {number} 号已发布" in page and "校验通过" in page
    assert re.search(r"<textarea[^>]*>【博山区网格日报】", page)
    again = client.post(
        "/bulletins", data={"csrf_token": csrf(page), "day": YESTERDAY}, follow_redirects=True
    )
    assert f"发布第 {number} 号" in again.text

    corrected = client.post(
        f"/bulletins/{number}/correction", data={"csrf_token": csrf(page), "reason": "<i>补录</i>一户"}
    )
    world.follow()
    page = client.get(corrected.headers["Location"]).text
    assert "&lt;i&gt;补录&lt;/i&gt;一户" in page
    assert "已被第" in client.get(f"/bulletins/{number}").text


def test_before_the_cut_off_the_button_is_off_and_the_preview_is_marked(world: World) -> None:
    client = world.signed_in("dong")
    tomorrow = (today() + timedelta(days=1)).isoformat()
    page = client.get(f"/bulletins?day={tomorrow}").text
    assert re.search(r'<button class="button main" disabled>发布日报', page)
    posted = client.post(
        "/bulletins", data={"csrf_token": csrf(page), "day": tomorrow}, follow_redirects=True
    )
    assert "截止时间是" in posted.text
    assert "临时数据，未发布" in client.get("/bulletins/preview").text


def test_a_town_clerk_has_no_bulletins_in_the_menu_but_the_sheets_of_the_own_town(world: World) -> None:
    client = world.signed_in("ba")
    page = client.get("/sheets").text
    assert 'href="/bulletins"' not in page and "日报汇总表" in page
    assert client.get("/bulletins").status_code == 403
    assert client.get(f"/sheets/file?sheet=daily_villages&day={YESTERDAY}").status_code == 200


def test_a_form_without_its_token_or_with_a_bad_day_freezes_nothing(world: World) -> None:
    client = world.signed_in("dong")
    page = client.get("/bulletins").text
    assert client.post("/bulletins", data={"day": YESTERDAY}).status_code == 403
    for day in ("x", "", "0002-02-21"):
        assert client.post("/bulletins", data={"csrf_token": csrf(page), "day": day}).status_code == 422


def frozen_number(client: FlaskClient) -> str:
    """Of yesterday's bulletin, frozen now unless it is."""
    token = csrf(client.get("/bulletins").text)
    client.post("/bulletins", data={"csrf_token": token, "day": YESTERDAY})
    page = client.get(f"/bulletins?day={YESTERDAY}").text
    return re.findall(r'class="button main" href="/bulletins/(\d{4}-\d+)"', page)[0]


def test_every_figure_of_a_preview_opens_to_what_it_counts(world: World) -> None:
    client = world.signed_in("dong")
    found = links(client.get("/bulletins/preview").text)
    assert any(f"area={VILLAGE}" in link for link in found)
    of_district = sorted(link for link in found if link.endswith(f"area={DISTRICT}"))
    assert len(of_district) > 40 and not any("bulletin=" in link for link in found)
    for link in of_district[::8]:
        assert client.get(link).status_code == 200, link


def test_a_frozen_figure_opens_to_what_counts_now_and_says_what_came_late(world: World) -> None:
    client = world.signed_in("dong")
    number = frozen_number(client)
    found = links(client.get(f"/bulletins/{number}").text)
    visits, contacts = (
        next(link for link in found if link.endswith(f"indicator={name}&area={DISTRICT}"))
        for name in ("A2_visits", "B_contact")
    )
    late = sample(
        "household_visit/pass/no_answer", day=today() - timedelta(days=1), device_id=world.device_id,
        household_id="H1",
    )  # fmt: skip
    world.push(late)
    world.follow()
    page = client.get(visits).text
    assert f"第 {number} 号日报" in page and "之后有补报或更正" in page
    assert f'href="/bulletins/{number}"' in page
    assert "现在仍是此数" in client.get(contacts).text
    other = visits.replace(YESTERDAY, today().isoformat())
    assert f"第 {number} 号日报" not in client.get(other).text


def test_who_reads_no_bulletins_and_whatever_number_is_made_up_is_told_nothing(world: World) -> None:
    number = frozen_number(world.signed_in("dong"))
    address = f"/figure?indicator=A2_visits&day={YESTERDAY}&bulletin="
    assert "号日报" not in world.signed_in("bai").get(address + number).text
    client = world.signed_in("dong")
    assert "号日报" not in client.get(address + "2019-999").text
    assert client.get(address + "x%22").status_code == 422
