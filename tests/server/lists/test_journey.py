"""A clerk takes a list from the file to the answer, in Chromium, by keyboard, also at a phone's width."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, Playwright

from tests import chromium
from tests.server.api.world import PASSWORD, World
from tests.server.lists import pushed
from tests.server.web.test_browser import violations
from tests.servers import served


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with served(world.app) as url:
        yield url


@pytest.fixture
def worker(world: World) -> Iterator[None]:
    """Jobs are done beside the server."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            world.work()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join(timeout=10)


@pytest.fixture
def clerk(playwright: Playwright, address: str, worker: None) -> Iterator[Page]:
    """Signed in, on the lists."""
    browser = chromium.launch(playwright)
    page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 800}, locale="zh-CN")
    chromium.sign_in(page, "dong", PASSWORD, "/lists")
    page.get_by_role("heading", name="上级名单核查").wait_for()
    yield page
    browser.close()


def test_a_clerk_takes_a_list_from_the_file_to_the_answer(clerk: Page, tmp_path: Path) -> None:
    source = tmp_path / "名单.xlsx"
    source.write_bytes(pushed.file(pushed.workbook()))
    clerk.get_by_role("link", name="导入名单").click()
    clerk.get_by_label("文件").set_input_files(source)
    clerk.get_by_role("button", name="上传并查看").click()
    clerk.get_by_role("heading", name="读到 4 人").wait_for()
    preview = clerk.url
    assert _fits(clerk, preview)
    clerk.get_by_role("button", name="导入这 4 人").click()
    clerk.get_by_text("已导入名单").wait_for()
    clerk.wait_for_url("**/lists/2*")
    made = clerk.url
    assert _fits(clerk, made)

    clerk.get_by_role("link", name="未核查").click()
    clerk.wait_for_url("**outcome=open*")
    clerk.get_by_role("link", name="第 4 行").click()
    clerk.get_by_text("电话相同").first.wait_for()
    assert _fits(clerk, clerk.url)
    clerk.get_by_label("是此人（1）").focus()
    clerk.keyboard.press("Space")
    clerk.get_by_label("漏排（现补管）").focus()
    clerk.keyboard.press("Space")
    clerk.get_by_label("核查备注").focus()
    clerk.keyboard.type("已补管")
    clerk.keyboard.press("Enter")  # the first button: on to the next name
    clerk.get_by_role("heading", name="第 5 行").wait_for()
    clerk.get_by_label("信息有误").check()
    clerk.get_by_role("button", name="保存，回名单").click()
    clerk.get_by_text("共 4 人，已核查 3 人").wait_for()

    clerk.get_by_label("用途").fill("反馈市指挥部")
    clerk.get_by_role("button", name="生成反馈表").click()
    with clerk.expect_download() as download:
        clerk.get_by_role("button", name="下载第 1 号").click()
    download.value.save_as(tmp_path / "答复.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "答复.xlsx").worksheets[0]
    assert [sheet.cell(row, 7).value for row in (3, 4, 5, 6)] == [
        "前期已排查",
        "漏排（现补管）",
        "信息有误",
        None,
    ]


def _fits(clerk: Page, path: str) -> bool:
    """Accessible by axe, and no wider than a phone."""
    assert violations(clerk, path) == []
    clerk.set_viewport_size({"width": 360, "height": 800})
    width = clerk.evaluate("document.documentElement.scrollWidth")
    narrow = violations(clerk, path)
    clerk.set_viewport_size({"width": 1280, "height": 800})
    assert narrow == []
    return bool(width <= 360)
