"""A phone comes to the district by a code, and says in words when that does not work."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from server.people.syncing import REMEMBERED_S
from tests.phone.phones import SYNC_WITHIN_MS, Phone
from tests.servers import Server

NewPhone = Callable[..., Phone]


def typed(phone: Phone, code: str) -> None:
    phone.page.get_by_label("入网码", exact=True).fill(code)
    phone.press("入网", exact=True)


def alert(phone: Phone) -> str:
    told = phone.page.get_by_role("alert")
    expect(told).not_to_be_empty()
    return told.inner_text()


def test_a_typed_code_enrols_however_it_is_written(new_phone: NewPhone, codes: Iterator[str]) -> None:
    phone = new_phone(enrolled=False).open()
    typed(phone, f" {next(codes).lower().replace('-', ' ')} ")
    expect(phone.page.get_by_role("heading", name="今天谁来填")).to_be_visible()


def test_a_code_in_the_address_enrols_and_goes(new_phone: NewPhone, codes: Iterator[str]) -> None:
    phone = new_phone(enrolled=False).open(f"#enrol={next(codes)}")
    expect(phone.page.get_by_role("heading", name="今天谁来填")).to_be_visible()
    assert "enrol" not in phone.page.url


def test_a_code_that_is_too_short_is_not_even_sent(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False).open()
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    typed(phone, "ABC")
    assert "8位" in alert(phone)
    assert not asked


def test_a_wrong_code_is_called_wrong(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False).open()
    typed(phone, "ZZZZ-9999")
    assert "不对" in alert(phone)


def test_a_used_code_is_called_used(new_phone: NewPhone, codes: Iterator[str]) -> None:
    code = next(codes)
    new_phone(code=code)
    second = new_phone(enrolled=False).open()
    typed(second, code)
    assert "已用过" in alert(second)


def test_without_network_the_code_stays_good(new_phone: NewPhone, codes: Iterator[str]) -> None:
    phone = new_phone(enrolled=False).open()
    phone.offline()
    typed(phone, next(codes))
    assert "没有连上" in alert(phone)
    phone.offline(False)
    phone.press("入网", exact=True)
    expect(phone.page.get_by_role("heading", name="今天谁来填")).to_be_visible()


def test_another_code_in_the_address_is_taken_after_a_wrong_one(
    new_phone: NewPhone, codes: Iterator[str]
) -> None:
    phone = new_phone(enrolled=False).open("#enrol=ZZZZ-9999")
    assert "不对" in alert(phone)
    phone.open(f"#enrol={next(codes)}")
    expect(phone.page.get_by_role("heading", name="今天谁来填")).to_be_visible()


def revoke(server: Server, device_id: str) -> None:
    server.flask("device", "revoke", device_id)


def expire(server: Server, device_id: str) -> None:
    with closing(sqlite3.connect(server.data / "people.sqlite3")) as people, people:
        moment = "2020-02-21T00:00:00.000Z"
        people.execute("UPDATE devices SET expires_at = ? WHERE device_id = ?", (moment, device_id))


@pytest.mark.parametrize("shut_out", [revoke, expire])
def test_a_phone_that_is_shut_out_keeps_what_it_holds_and_sends_it_once_it_is_enrolled_again(
    new_phone: NewPhone, server: Server, codes: Iterator[str], shut_out: Callable[[Server, str], None]
) -> None:
    phone = new_phone()
    phone.offline()
    forgotten_at = time.time() + REMEMBERED_S
    phone.visit_without_event()
    shut_out(server, phone.kept("(await read('device')).find((each) => each.device_id)?.device_id"))
    phone.home()
    phone.page.wait_for_function("moment => Date.now() > moment", arg=forgotten_at * 1000)
    phone.offline(False)
    told = phone.page.get_by_text("这部手机已被停用或授权已到期")
    expect(told).to_be_visible(timeout=SYNC_WITHIN_MS)
    expect(told).to_contain_text("新的入网码")
    phone.waits(1)
    expect(phone.records()).to_have_attribute("data-state", "waiting")
    phone.home()
    take_code(phone, next(codes))
    phone.judged()
    expect(phone.records()).to_have_attribute("data-state", "accepted")


def test_records_of_a_village_that_the_phone_lost_stay_in_sight_and_go_once_they_may(
    new_phone: NewPhone, server: Server, codes: Iterator[str]
) -> None:
    villages = [each["village_code"] for each in server.credentials["enrolment"]]
    other = next(village for village in villages if village != villages[0])
    made = server.flask("enrol", "create", "--village", other, "--count", "1", "--no-qr").stdout
    phone = new_phone()
    phone.offline()
    phone.visit_without_event()
    enrol_again(phone, server, made.split("\t")[0])
    expect(phone.page.get_by_text("服务器没有收下")).to_be_visible(timeout=SYNC_WITHIN_MS)
    phone.waits(1)
    expect(phone.records()).to_have_attribute("data-state", "waiting")
    enrol_again(phone, server, next(codes))
    phone.judged()
    expect(phone.records()).to_have_attribute("data-state", "accepted")


def enrol_again(phone: Phone, server: Server, code: str) -> None:
    """The district revokes the phone and gives it another code."""
    device = phone.kept("(await read('device')).find((each) => each.device_id)?.device_id")
    phone.offline()
    server.flask("device", "revoke", device)
    phone.home()
    phone.offline(False)
    take_code(phone, code)


def take_code(phone: Phone, code: str) -> None:
    phone.page.get_by_role("button", name="重新入网").click(timeout=SYNC_WITHIN_MS)
    phone.page.get_by_label("入网码", exact=True).fill(code)
    phone.press("入网", exact=True)
    choice = phone.page.locator(".choice").first
    phone.page.get_by_role("navigation").or_(choice).first.wait_for()
    if choice.is_visible():
        choice.click()


def test_the_reader_switches_language_before_anything_else(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False).open()
    phone.press("English")
    expect(phone.page.get_by_role("heading", name="Enrol this phone")).to_be_visible()
    expect(phone.page.locator("html")).to_have_attribute("lang", "en")
