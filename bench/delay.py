"""From a finished record on a phone to the figure on an overview page that is already open.

    python -m bench.delay [--rounds 10]

A demo server of its own, one phone and one clerk, each in real Chromium on the same machine. The clock runs
from the tap on “finish” until the number of visits on the page has changed: saving, pushing, checking,
counting, the page's own refresh.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, Playwright, expect, sync_playwright

from bench.demo import demo_server
from tests import chromium
from tests.phone.phones import Phone
from tests.servers import Server

FIGURE = "[data-figure$='-A2_visits']"
WITHIN_MS = 30_000


def overview(playwright: Playwright, server: Server) -> Page:
    page = chromium.launch(playwright).new_page(base_url=server.url, locale="zh-CN")
    page.goto("/")
    page.get_by_label("用户名").fill(server.credentials["staff"]["username"])
    page.get_by_label("密码").fill(server.credentials["staff"]["password"])
    page.get_by_role("button", name="登录").click()
    page.locator(FIGURE).first.wait_for()
    return page


def one_delay_s(phone: Phone, page: Page) -> float:
    figure = page.locator(FIGURE).first
    before = figure.inner_text()
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.press("下一页")
    phone.press("以上各项")
    start = time.perf_counter()
    phone.press("完成")
    expect(figure).not_to_have_text(before, timeout=WITHIN_MS)
    return time.perf_counter() - start


def measure(rounds: int) -> list[float]:
    with demo_server() as server, sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        page = overview(playwright, server)
        phone = Phone(playwright, server.url, Path(profile))
        phone.enrol(server.credentials["enrolment"][0]["code"])
        delays = [one_delay_s(phone, page) for _ in range(rounds)]
        phone.switch_off()
        return delays


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    delays = measure(parser.parse_args().rounds)
    print(f"{len(delays)} records: median {statistics.median(delays):.2f} s, slowest {max(delays):.2f} s")


if __name__ == "__main__":
    main()
