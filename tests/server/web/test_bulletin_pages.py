"""The clerk's way through the pages: see the preview, freeze with one click, correct."""

from __future__ import annotations

import re
from datetime import timedelta

from tests.server.api.world import World, today
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
    assert client.post("/bulletins", data={"csrf_token": csrf(page), "day": "x"}).status_code == 422
