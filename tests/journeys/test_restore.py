"""The district loses its box and puts back a backup: what Wang's phone keeps comes in again by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Playwright, expect

from tests.journeys.conftest import village_code
from tests.journeys.test_main_line import figures, stop_the_clock
from tests.phone.phones import SYNC_WITHIN_MS, Phone
from tests.servers import Server

ADMIN = ("root", "a long password")


class District:
    """`server` is the one that answers now; a restored one takes the place and address of the lost one."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.village = village_code(server, 0)
        self._folder = folder

    def back_up(self) -> None:
        self.server.flask("backup", self._folder / "backup")

    def lose_the_box(self) -> None:
        self.server.kill()

    def restore(self) -> None:
        restored = Server(self._folder / "restored" / "var", GRIDBOOK_SYNC_ADMIN=":".join(ADMIN))
        restored.flask("restore", self._folder / "backup")
        restored.port = self.server.port
        self.server = restored.start()

    def statuses(self) -> dict[str, str]:
        """By record id, as the district has them."""
        answer = requests.get(
            f"{self.server.url}/api/v1/records",
            params={"area": self.village},
            headers={"Authorization": f"Bearer {self.server.credentials['api_token']}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return {record["record_id"]: record["status"] for record in answer.json()["items"]}

    def uuid(self) -> str:
        return str(requests.get(f"{self.server.url}/sync/", timeout=20).json()["uuid"])

    def let_phones_forget_at_once(self) -> None:
        url = f"{self.server.url}/sync/catalogue/settings:district"
        settings = requests.get(url, auth=ADMIN, timeout=20).json()
        settings["retain_local_days"] = 0
        assert requests.put(url, json=settings, auth=ADMIN, timeout=20).status_code == 201


@pytest.fixture
def district(new_server: Callable[..., Server], tmp_path: Path) -> Iterator[District]:
    made = District(new_server(own_store=True, GRIDBOOK_SYNC_ADMIN=":".join(ADMIN)), tmp_path)
    yield made
    made.server.stop()


@pytest.fixture
def wang(playwright: Playwright, district: District, tmp_path: Path) -> Iterator[Phone]:
    code = district.server.flask(
        "enrol", "create", "--village", district.village, "--count", "1", "--no-qr"
    ).stdout.split("\t")[0]
    phone = Phone(playwright, district.server.url, tmp_path / "phone").enrol(code)
    yield phone
    phone.switch_off()
    assert not phone.complaints, "a page threw an error"


def visit(phone: Phone) -> str:
    """An uneventful visit that the district accepts; returns the household's id."""
    unit = phone.visit_without_event()
    phone.judged()
    return unit


def compared_with(phone: Phone) -> str:
    found: str = phone.kept("(await read('device')).find((each) => each.server_uuid)?.server_uuid")
    return found


def copies(phone: Phone) -> list[str]:
    """Whose documents this phone has copies of."""
    names: list[str] = phone.kept("(await indexedDB.databases()).map((each) => each.name)")
    return sorted({name.partition("@")[2] for name in names if "@" in name})


def corrects(phone: Phone, record_id: str) -> None:
    phone.records()
    phone.page.locator(f'[data-testid=record-row][data-id="{record_id}"]').click()
    phone.press("更正")
    phone.form()
    phone.choose("correction_reason", "录入错误")
    phone.press("下一页")
    phone.press("完成")


def test_what_the_backup_lacks_is_handed_in_again_and_counted_once(district: District, wang: Phone) -> None:
    day = stop_the_clock(wang)
    before = figures(district.server, district.village, day)
    visit(wang)
    [first] = wang.states(1)
    wang.home()
    district.back_up()
    visit(wang)
    [second] = set(wang.states(2)) - {first}
    district.lose_the_box()
    corrects(wang, second)
    assert wang.waiting() == 1
    district.restore()
    wang.judged()
    states = wang.states(3)
    district.server.counted(states)
    statuses = district.statuses()
    assert {record_id: statuses[record_id] for record_id in states} == states
    assert set(states.values()) == {"accepted"}
    counted = figures(district.server, district.village, day)
    assert counted["A3"] - before["A3"] == 2
    assert counted["A2_visits"] - before["A2_visits"] == 2
    assert compared_with(wang) == district.uuid()


def test_an_accepted_record_waits_again_until_the_restored_server_has_judged_it(
    district: District, wang: Phone
) -> None:
    district.back_up()
    household = visit(wang)
    lost = district.uuid()
    wang.page.route("**/sync/register-*/**", lambda route: route.abort())
    wang.page.route("**/sync/inbox-*/_bulk_docs", lambda route: route.abort())
    district.lose_the_box()
    district.restore()
    expect(wang.records().first).to_have_attribute("data-state", "waiting", timeout=SYNC_WITHIN_MS)
    wang.page.unroute("**/sync/inbox-*/_bulk_docs")
    expect(wang.records().first).to_have_attribute("data-state", "received", timeout=SYNC_WITHIN_MS)
    # Broken off before the registers are whole, and opened again: nothing that she works with is gone.
    assert compared_with(wang) == lost
    wang.switch_off()
    wang.switch_on()
    wang.page.route("**/sync/register-*/**", lambda route: route.abort())
    wang.open()
    expect(wang.rows().first).to_be_visible()
    wang.begin()
    wang.press("返回")
    wang.page.unroute("**/sync/register-*/**")
    wang.judged()
    wang.synced()
    district.server.counted(wang.states(1))
    assert wang.states(1).items() <= district.statuses().items()
    assert compared_with(wang) == district.uuid()
    wang.switch_off()
    wang.switch_on().open()
    wang.synced()
    assert copies(wang) == [district.uuid()]
    expect(wang.page.get_by_test_id("draft")).to_have_count(1)
    wang.press("全部")
    expect(
        wang.page.locator(f'[data-testid=unit-row][data-id="{household}"][data-todo=done]')
    ).to_be_visible()


def test_a_record_leaves_the_phone_only_after_a_round_with_the_server(
    district: District, wang: Phone
) -> None:
    wang.ready_for_no_network()
    district.let_phones_forget_at_once()
    visit(wang)
    wang.switch_off()
    wang.switch_on().offline()
    wang.open()
    expect(wang.records()).to_have_count(1)
    wang.offline(False)
    expect(wang.records()).to_have_count(0)
