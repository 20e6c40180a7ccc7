"""Journeys run on a server of their own, with phones and a clerk in real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests import chromium
from tests.phone.phones import Phone
from tests.servers import Server

expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def district(new_server: Callable[..., Server]) -> Server:
    return new_server()


@pytest.fixture
def volunteer(playwright: Playwright, district: Server, tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """`volunteer()` unpacks another phone and enrols it in the village at this place of the credentials."""
    phones: list[Phone] = []

    def unpack(village: int = 0, filler: int = 0) -> Phone:
        code = district.flask(
            "enrol", "create", "--village", village_code(district, village), "--count", "1", "--no-qr"
        ).stdout.split("\t")[0]
        phone = Phone(playwright, district.url, tmp_path / f"phone-{len(phones)}", width=360, height=640)
        phones.append(phone)
        return phone.enrol(code, filler)

    yield unpack
    for phone in phones:
        phone.switch_off()


def village_code(district: Server, place: int) -> str:
    codes = list(dict.fromkeys(each["village_code"] for each in district.credentials["enrolment"]))
    return str(codes[place])


@pytest.fixture
def clerk(playwright: Playwright, district: Server) -> Iterator[Page]:
    """Signed in, on the overview."""
    browser = chromium.launch(playwright)
    page = browser.new_page(base_url=district.url, viewport={"width": 1280, "height": 800}, locale="zh-CN")
    staff = district.credentials["staff"]
    chromium.sign_in(page, staff["username"], staff["password"])
    page.get_by_role("heading", name="博山区", level=1).wait_for()
    yield page
    browser.close()
