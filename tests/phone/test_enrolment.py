"""A phone comes to the district by a code, and says in words when that does not work."""

from collections.abc import Callable, Iterator

from playwright.sync_api import expect

from tests.phone.phones import Phone
from tests.servers import Server

NewPhone = Callable[..., Phone]


def typed(phone: Phone, code: str) -> None:
    phone.page.get_by_label("登记码", exact=True).fill(code)
    phone.press("登记", exact=True)


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
    phone.press("登记", exact=True)
    expect(phone.page.get_by_role("heading", name="今天谁来填")).to_be_visible()


def test_a_revoked_phone_says_so_and_keeps_what_it_holds(new_phone: NewPhone, server: Server) -> None:
    phone = new_phone()
    phone.offline()
    phone.visit_without_event()
    device = phone.kept("(await read('device')).find((each) => each.device_id)?.device_id")
    server.flask("device", "revoke", device)
    phone.offline(False)
    expect(phone.page.get_by_text("这部手机已被停用")).to_be_visible(timeout=20_000)
    assert phone.waiting() == 1
    expect(phone.records()).to_have_attribute("data-state", "waiting")


def test_the_reader_switches_language_before_anything_else(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False).open()
    phone.press("English")
    expect(phone.page.get_by_role("heading", name="Enrol this phone")).to_be_visible()
    expect(phone.page.locator("html")).to_have_attribute("lang", "en")
