"""`new_phone()` is a phone enrolled in the demo's first village, `new_phone(enrolled=False)` a fresh one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from tests.phone.phones import Phone
from tests.servers import Server

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def codes(server: Server) -> Iterator[str]:
    village = server.credentials["enrolment"][0]["village_code"]
    made = server.flask("enrol", "create", "--village", village, "--count", "60", "--no-qr").stdout
    return iter([line.split("\t")[0] for line in made.splitlines() if "\t" in line])


@pytest.fixture
def new_phone(
    playwright: Playwright, server: Server, codes: Iterator[str], tmp_path: Path
) -> Iterator[Callable[..., Phone]]:
    made: list[Phone] = []

    def unpack(*, enrolled: bool = True, code: str = "", filler: int = 0, **size: int) -> Phone:
        phone = Phone(playwright, server.url, tmp_path / f"phone-{len(made)}", **size)
        made.append(phone)
        return phone.enrol(code or next(codes), filler) if enrolled else phone

    yield unpack
    complaints = [complaint for phone in made for complaint in phone.complaints]
    for phone in made:
        phone.switch_off()
    assert not complaints, "a page threw an error"


@pytest.fixture
def phone(new_phone: Callable[..., Phone]) -> Phone:
    return new_phone()
