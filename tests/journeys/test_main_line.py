"""What a volunteer and a clerk do, from a village without signal to a figure in the district."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, expect

from tests.journeys.conftest import village_code
from tests.phone.phones import Phone
from tests.servers import ROOT, Server

Volunteer = Callable[..., Phone]
PICTURES = ROOT / "docs" / "pictures"
ANSWER_WITHIN_S = 60


def stop_the_clock(*phones: Phone) -> str:
    """Beijing midnight may pass during a journey: its phones stay on this day, which is returned."""
    now = datetime.now(timezone(timedelta(hours=8)))
    for phone in phones:
        phone.page.clock.set_fixed_time(now)
    return now.date().isoformat()


def figures(district: Server, area: str, day: str) -> dict[str, Any]:
    """Of a Beijing day."""
    answer = requests.get(
        f"{district.url}/api/v1/figures",
        params={"area": area, "day": day},
        headers={"Authorization": f"Bearer {district.credentials['api_token']}"},
        timeout=ANSWER_WITHIN_S,
    )
    assert answer.ok, answer.text
    return {name: figure["value"] for name, figure in answer.json()["figures"].items()}


def disinfect_with_alcohol(phone: Phone) -> None:
    """Wiped, after spraying was refused: alcohol burns."""
    phone.tab("消毒点")
    phone.begin()
    phone.choose("indoor_outdoor", "室内")
    phone.choose("objects", "地面")
    phone.press("下一页")
    phone.choose("agent", "75%酒精")
    phone.choose("method", "喷洒")
    refused = phone.page.locator(".problem.stop[data-rule=V022]")
    phone.press("下一页")
    expect(refused).to_contain_text("酒精")
    expect(refused).to_be_in_viewport()
    phone.choose("method", "擦拭")
    expect(refused).to_have_count(0)
    phone.type("solution_l", "2")
    phone.press("下一页")


def finish_the_disinfection(phone: Phone, day: str) -> None:
    phone.choose("ventilated", "是")
    phone.choose("ppe", "口罩")
    phone.type("operator_count", "1")
    phone.type("started_at", f"{day}T00:00")
    phone.type("ended_at", f"{day}T00:25")
    phone.press("完成")
    expect(phone.page.get_by_test_id("progress")).to_be_visible()


def deliver(phone: Phone) -> None:
    phone.begin_delivery()
    phone.choose("delivery_result", "本人签收")
    phone.press("全部按应发")
    phone.press("下一页")
    phone.choose("proof_kind", "见证人")
    phone.type("witness", "李见证")
    phone.press("完成")
    expect(phone.page.get_by_test_id("progress")).to_be_visible()


def test_forms_filled_without_signal_become_figures_in_the_district(
    volunteer: Volunteer, district: Server, clerk: Page
) -> None:
    phone, village = volunteer(), village_code(district, 0)
    day = stop_the_clock(phone)
    clerk.goto(f"/?day={day}")
    before = figures(district, village, day)
    phone.ready_for_no_network()
    expect(phone.rows().first).to_be_visible()
    phone.page.screenshot(path=PICTURES / "phone-list.png")
    phone.offline()

    phone.begin()  # a W is asked about and confirmed, an E is refused in words
    phone.choose("visit_result", "见到本人")
    phone.type("resident_count", "51")
    refused = phone.field("resident_count").locator(".problem.stop")
    expect(refused).to_be_visible()
    phone.press("下一页")
    expect(refused).to_be_in_viewport()
    phone.type("resident_count", "13")
    phone.field("resident_count").get_by_role("button", name="确认无误").click()
    phone.page.screenshot(path=PICTURES / "phone-form.png")
    phone.press("下一页")
    phone.press("以上各项")
    phone.press("完成")
    expect(phone.page.get_by_test_id("progress")).to_be_visible()

    deliver(phone)
    disinfect_with_alcohol(phone)

    phone.page.reload()  # without a network: the queue and the draft are still there
    phone.form()
    expect(phone.field("area_m2")).to_be_visible()
    phone.press("返回")
    expect(phone.page.get_by_test_id("draft")).to_have_count(1)
    phone.waits(2)
    phone.page.get_by_test_id("draft").get_by_role("link").click()
    finish_the_disinfection(phone, day)
    phone.waits(3)

    shown = clerk.locator("[data-figure$='-A2']").first
    was = shown.inner_text()
    phone.offline(False)
    phone.judged()
    states = phone.states(3)
    assert set(states.values()) <= {"accepted", "accepted_with_warnings"}

    district.counted(states)
    expect(shown).not_to_have_text(was)  # the clerk reloaded nothing
    after = figures(district, village, day)
    assert after["A3"] == (before["A3"] or 0) + 1
    assert after["C1"] == (before["C1"] or 0) + 1
    assert after["D2"] == (before["D2"] or 0) + 1
    clerk.screenshot(path=PICTURES / "overview.png")


def test_two_phones_visit_one_household_and_it_is_covered_once(
    volunteer: Volunteer, district: Server
) -> None:
    village = village_code(district, 1)
    alice, bob = volunteer(1, filler=0), volunteer(1, filler=0)
    day = stop_the_clock(alice, bob)
    for phone in (alice, bob):
        phone.offline()
    first = alice.rows().first.get_attribute("data-id")
    assert alice.visit_without_event() == first
    assert bob.visit_without_event() == first
    for phone in (alice, bob):
        phone.offline(False)
        phone.judged()
        district.counted(phone.states(1))
    counted = figures(district, village, day)
    assert counted["A3"] == 1
    assert counted["A2"] == 1


def test_a_server_killed_during_a_push_keeps_what_it_acknowledged(
    volunteer: Volunteer, district: Server
) -> None:
    phone, village = volunteer(2), village_code(district, 2)
    day = stop_the_clock(phone)
    phone.offline()
    for _ in range(3):
        phone.visit_without_event()

    def kill_with_the_answer_on_its_way(route: Any) -> None:
        route.fetch()  # the server has stored the records; the phone will not hear of it
        district.kill()
        route.abort()

    phone.page.route("**/_bulk_docs", kill_with_the_answer_on_its_way, times=1)
    phone.offline(False)
    expect(phone.page.locator("[data-testid=sync][data-phase=failed]")).to_be_visible(timeout=30_000)
    phone.waits(3)
    district.start()
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    phone.judged()
    district.counted(phone.states(3))
    assert figures(district, village, day)["A3"] == 3


def forms_of_ones_own(folder: Path) -> Path:
    """The product's forms, the one that forms/README.md has one write, and the same about households."""
    page = (ROOT / "forms" / "README.md").read_text("utf-8")
    example = re.search(r"^```json form\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert example
    heating = json.loads(example[1].replace("water_check", "heating_check"))
    household = {
        "type": "select_one_from_file households",
        "name": "household_id",
        "label": {"zh": "户号", "en": "Household"},
    }
    heating["survey"][0]["children"].insert(0, household)
    shutil.copytree(ROOT / "forms", folder)
    (folder / "water_check.json").write_text(example[1], "utf-8")
    (folder / "heating_check.json").write_text(json.dumps(heating), "utf-8")
    return folder


def exported(district: Server, form_id: str) -> list[dict[str, str]]:
    answer = requests.get(
        f"{district.url}/api/v1/export/{form_id}.csv",
        headers={"Authorization": f"Bearer {district.credentials['api_token']}"},
        timeout=ANSWER_WITHIN_S,
    )
    assert answer.ok, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_form_of_the_readme_is_filled_on_a_phone_and_stands_in_the_csv(
    volunteer: Volunteer, district: Server, tmp_path: Path
) -> None:
    """Step by step as forms/README.md says; a form about households does not take the place of the visit."""
    district.flask("forms", "publish", forms_of_ones_own(tmp_path / "forms"))
    phone = volunteer()
    phone.begin()
    expect(phone.field("visit_result")).to_be_visible()
    phone.press("返回")
    phone.page.get_by_test_id("other-forms").get_by_role("button", name="饮水点检查").click()
    phone.type("place", "村口")
    phone.choose("clean", "是")
    phone.type("chlorine", "0.2")
    phone.field("chlorine").get_by_role("button", name="确认无误").click()
    phone.press("完成")
    phone.judged()
    states = phone.states(1)
    assert set(states.values()) == {"accepted_with_warnings"}
    district.counted(states)
    (line,) = exported(district, "water_check")
    assert (line["place"], line["clean"], line["chlorine"]) == ("村口", "yes", "0.2")
