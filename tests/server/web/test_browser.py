"""The staff pages in Chromium: down to one record, figures that follow a sync, accessibility by axe-core."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests import chromium
from tests.server.api.world import PASSWORD, VILLAGE, World, sample, today
from tests.server.lists import pushed
from tests.server.lists.test_pages import import_list
from tests.servers import served

WEB = Path(__file__).parents[3] / "server" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
PAGES = [
    "/",
    f"/?area={VILLAGE}",
    "/records",
    "/quarantine",
    "/duplicates",
    "/duplicates?state=decided",
    "/exceptions",
    "/exceptions?state=resolved",
    "/not-reached",
    "/roster",
    f"/roster?state=all&village={VILLAGE}",
    "/points",
    f"/points?state=all&village={VILLAGE}",
    f"/disinfections?day={today() - timedelta(days=1)}",
    "/stock",
    "/stock?item=MASK",
    f"/stations/S1?village={VILLAGE}",
    f"/households/H1?village={VILLAGE}",
    f"/points/P1?village={VILLAGE}",
    "/roster/aixin:1",
    "/villages",
    "/villages?state=silent",
    "/devices",
    "/password",
    "/duplicates?rule=visited_twice",
    "/forms",
    "/forms/household_visit",
    "/exports",
    "/bulletins",
    "/bulletins/preview",
    "/sheets",
    "/lists",
    "/lists/import",
    "/records?text=nothing-like-this",
    "/nothing",
    "/api/v1/",
    "/figure?indicator=A2_visits",
    f"/figure?indicator=A2_visits&area={VILLAGE}",
    f"/figure?indicator=A4&area={VILLAGE}",
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a clerk's browser finds on the pages, {path: …}, and what its console said meanwhile."""

    widths: dict[str, int]
    violations: dict[str, list[str]]
    complaints: list[str]


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The app on a free port, threads and all: an open event stream must not hold up the pages."""
    for name in ("purchase", "stocktake"):
        world.push(sample(f"stock_movement/pass/{name}", device_id=world.device_id))
    world.follow()
    with served(world.app) as url:
        yield url


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = chromium.launch(playwright)
    yield started
    started.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says against a page: scripts that fail, content that the policy refuses."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    with signed_in(browser, address, complaints) as page:
        yield page


@contextmanager
def signed_in(browser: Browser, address: str, complaints: list[str], width: int = 1280) -> Iterator[Page]:
    """As the district's clerk, on the overview."""
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800}, locale="zh-CN")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    chromium.sign_in(page, "dong", PASSWORD)
    page.get_by_role("heading", name="博山区", level=1).wait_for()
    yield page
    context.close()


@pytest.fixture(scope="module")
def seen(browser: Browser, address: str, world: World) -> Callable[[int], Seen]:
    """Every page in a window of this width, looked at once."""
    jobs = one_that_failed_and_one_that_waits(world)

    @cache
    def look(width: int) -> Seen:
        found = Seen({}, {}, [])
        with signed_in(browser, address, found.complaints, width) as page:
            page.goto("/exceptions")
            exception = page.locator("tbody th a").first.get_attribute("href") or ""
            records = [f"/records/{world.ids[name]}" for name in ("people", "too_hot", "delivery")]
            for path in [*PAGES, *records, *jobs, exception]:
                found.violations[path] = violations(page, path)
                found.widths[path] = width_of(page)
        return found

    return look


def one_that_failed_and_one_that_waits(world: World) -> list[str]:
    """The pages of two jobs."""
    failed = import_list(world, "dong", b"not a workbook").json["job_id"]
    world.work()
    waits = import_list(world, "dong", pushed.file(pushed.workbook())).json["job_id"]
    return [f"/jobs/{job}" for job in (failed, waits)]


def test_from_the_overview_one_drills_down_to_a_single_record(
    page: Page, world: World, complaints: list[str]
) -> None:
    page.get_by_role("img", name="博山区近14天的走访覆盖率").locator("svg").wait_for()
    page.get_by_role("link", name="域城镇").click()
    page.get_by_role("group", name="各村（社区）").get_by_role("link", name="示范一村").click()
    page.get_by_role("link", name="当日敲门次").click()
    page.get_by_role("row", name="H3").get_by_role("link").last.click()
    page.wait_for_url(f"**{world.ids['people']}*")
    page.get_by_role("heading", name="H3").wait_for()
    page.get_by_text("420106********0006").wait_for()
    assert complaints == []


def test_a_tile_of_the_map_opens_its_village(page: Page, complaints: list[str]) -> None:
    page.goto("/?indicator=A2_visits")
    page.locator(".chart.map svg").wait_for()
    page.locator(".chart.map svg text", has_text="示范二村").click()
    page.wait_for_url(re.compile("area=370304102902"))
    page.get_by_role("heading", name="示范二村").wait_for()
    assert "indicator=A2_visits" in page.url
    assert complaints == []


def test_figures_follow_a_sync_without_a_reload(page: Page, world: World) -> None:
    page.locator("[data-live-lamp][data-state=on]").wait_for()
    page.evaluate("window.stillTheSamePage = true; scrollTo(0, 200)")
    figure = page.locator('[data-figure="370304-A2_visits"]')
    before = int(figure.inner_text())
    world.push(sample("household_visit/pass/uneventful", device_id=world.device_id, household_id="H2"))
    world.follow()
    page.wait_for_function(
        "before => +document.querySelector('[data-figure=\"370304-A2_visits\"]').textContent === before + 1",
        arg=before,
        timeout=15_000,
    )
    assert page.evaluate("[window.stillTheSamePage, scrollY]") == [True, 200]


def test_choosing_a_town_leaves_its_villages_and_chooses_none(page: Page) -> None:
    page.goto("/records")
    assert page.get_by_label("村（社区）").input_value() == ""
    page.get_by_label("镇（街道）").select_option(label="域城镇")
    options = page.get_by_label("村（社区）").locator("option").all_inner_texts()
    assert options == ["全部", "示范一村", "示范二村"]
    page.get_by_label("村（社区）").select_option(label="示范二村")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url("**village=370304102902*")
    assert page.get_by_label("村（社区）").input_value() == "370304102902"


def test_a_session_that_ended_is_said_and_not_shown_as_old_figures(page: Page, world: World) -> None:
    page.locator("[data-live-lamp][data-state=on]").wait_for()
    page.context.clear_cookies()
    world.push(sample("household_visit/pass/uneventful", device_id=world.device_id, household_id="H4"))
    world.follow()
    page.get_by_text("登录已过期").wait_for(timeout=15_000)


def test_a_clerk_works_off_an_exception(page: Page, world: World, complaints: list[str]) -> None:
    page.get_by_role("link", name="异常", exact=True).click()
    page.get_by_role("link", name="待更正记录").first.click()
    page.wait_for_url("**kind=quarantined*")
    row = page.get_by_role("row", name="待更正记录")
    row.get_by_role("button", name="我来办").click()
    page.get_by_text("已认领，归您处理。").wait_for()
    assert "kind=quarantined" in page.url, "the list keeps its filter"
    row.get_by_text("Dong").wait_for()
    row.get_by_role("link").click()
    page.get_by_role("button", name="办结").click()
    page.get_by_text("须写明情况（2～500 字）").wait_for()
    page.get_by_label("情况说明").fill("已电话核实，体温录错，由志愿者更正")
    page.get_by_role("button", name="办结").click()
    page.get_by_text("已办结。").wait_for()
    expect(page.locator(".steps li").nth(1)).to_have_text(re.compile(r"^\s*Dong\s+办结"))
    page.get_by_role("link", name="看这条记录").click()
    page.wait_for_url(f"**{world.ids['too_hot']}*")
    page.goto("/exceptions?kind=quarantined&state=resolved")
    page.get_by_role("row", name="待更正记录").get_by_text("Dong").wait_for()
    assert complaints == []


def test_from_who_was_not_reached_one_opens_the_household_and_its_visit_by_keyboard(
    page: Page, world: World, complaints: list[str]
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"/not-reached?day={today() - timedelta(days=1)}")
    page.get_by_role("link", name="H2", exact=True).press("Enter")
    page.get_by_role("heading", name="户号 H2 欧阳**").wait_for()
    row = page.get_by_role("row", name="无人应答")
    row.get_by_text("已采纳").wait_for()
    row.get_by_role("link").press("Enter")
    page.wait_for_url(f"**{world.ids['no_answer']}*")
    page.get_by_role("heading", name="H2").wait_for()
    page.get_by_role("link", name="该户历次情况").press("Enter")
    page.get_by_role("heading", name="历次情况").wait_for()
    assert complaints == []


@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_is_wider_than_its_window_or_complains(seen: Callable[[int], Seen], width: int) -> None:
    found = seen(width)
    assert {path: wide for path, wide in found.widths.items() if wide > width} == {}
    assert [each for each in found.complaints if "404" not in each] == []


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_to_object_to(seen: Callable[[int], Seen], width: int) -> None:
    assert {path: rules for path, rules in seen(width).violations.items() if rules} == {}


def test_axe_finds_nothing_on_the_sign_in_page(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    assert violations(context.new_page(), "/sign-in") == []
    context.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_the_administrator_s_pages(
    browser: Browser, address: str, world: World, width: int
) -> None:
    body = {"url": "https://cockpit.example.com/hook", "events": ["bulletin.frozen"]}
    webhook = world.post("admin", "/api/v1/webhooks", json=body).json["webhook_id"]
    assert world.post("admin", f"/api/v1/webhooks/{webhook}/test").status_code == 202
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800}, locale="en")
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("#username").fill("admin")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    page.get_by_role("link", name="Webhooks").wait_for()
    for path in ("/webhooks", f"/webhooks/{webhook}"):
        assert violations(page, path) == [], path
        assert width_of(page) <= width, path
    context.close()


def width_of(page: Page) -> int:
    """In CSS pixels, with what hangs out of the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    return wide


def violations(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        """async () => {
            const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
            const where = each => each.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", ");
            const { violations } = await axe.run({runOnly, resultTypes: ["violations"]});
            return violations.map(each => each.id + ": " + where(each));
        }"""
    )
    return found
