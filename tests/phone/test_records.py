"""A record's way as the phone tells it: on this phone, received, judged, corrected, withdrawn."""

import json
from collections.abc import Callable
from urllib.parse import quote

import requests
from playwright.sync_api import Route, expect

from tests.phone.phones import SYNC_WITHIN_MS, Phone
from tests.servers import Server

NewPhone = Callable[..., Phone]


def test_nothing_is_called_received_before_the_server_says_so(phone: Phone) -> None:
    """The push itself is answered well, but the server still lacks the record when it is asked."""

    def drop(route: Route) -> None:
        route.fulfill(status=201, json=[])

    phone.page.route("**/_bulk_docs", drop)
    phone.visit_without_event()
    expect(phone.page.get_by_text("服务器没有收下")).to_be_visible(timeout=SYNC_WITHIN_MS)
    phone.waits(1)
    phone.page.unroute("**/_bulk_docs")
    phone.press("立即同步")
    phone.judged()
    phone.waits(0)


def test_a_visit_goes_its_way_to_accepted_and_the_list_knows_at_once(phone: Phone) -> None:
    phone.offline()
    unit = phone.visit_without_event()
    expect(phone.rows().first).to_be_visible()
    expect(phone.page.locator(f'[data-testid=unit-row][data-id="{unit}"]')).to_have_count(0)
    expect(phone.records().first).to_have_attribute("data-state", "waiting")
    phone.offline(False)
    phone.judged()
    expect(phone.records().first).to_have_attribute("data-state", "accepted")


def test_too_large_a_batch_is_halved_until_it_passes(phone: Phone) -> None:
    sizes: list[int] = []

    def refuse_large(route: Route) -> None:
        sizes.append(len(json.loads(route.request.post_data or "{}")["docs"]))
        if sizes[-1] > 1:
            route.fulfill(status=413, json={"error": "too_large", "reason": "The request is too large."})
        else:
            route.continue_()

    phone.page.route("**/_bulk_docs", refuse_large)
    phone.offline()
    for _ in range(3):
        phone.visit_without_event()
    phone.offline(False)
    phone.judged()
    assert sizes[0] == 3
    assert sizes.count(1) == 3
    expect(phone.records()).to_have_count(3)


def test_one_damaged_photo_holds_up_no_other_record(phone: Phone) -> None:
    """The server refuses a batch whole when what one attachment's digest says is not so."""
    damaged: list[str] = []

    def refuse_the_first(route: Route) -> None:
        docs = [each["_id"] for each in json.loads(route.request.post_data or "{}")["docs"]]
        damaged[:] = damaged or docs[:1]
        if damaged[0] in docs:
            route.fulfill(status=400, json={"error": "content_md5_mismatch", "reason": "Attachment p.jpg …"})
        else:
            route.continue_()

    phone.page.route("**/_bulk_docs", refuse_the_first)
    phone.offline()
    for _ in range(3):
        phone.visit_without_event()
    phone.offline(False)
    expect(phone.page.get_by_text("1 条记录服务器没有收下")).to_be_visible(timeout=SYNC_WITHIN_MS)
    phone.waits(1)
    expect(phone.records()).to_have_count(3)
    expect(phone.page.locator("[data-testid=record-row][data-state=accepted]")).to_have_count(2)


def test_a_server_that_fails_for_a_while_gets_everything_later(phone: Phone) -> None:
    phone.page.route("**/sync/**", lambda route: route.abort())
    phone.visit_without_event()
    expect(phone.page.get_by_text("连不上服务器")).to_be_visible(timeout=SYNC_WITHIN_MS)
    phone.page.unroute("**/sync/**")
    phone.judged()


def review(server: Server, record_id: str, status: str, comment: str) -> None:
    """As a supervisor does."""
    server.counted([record_id])
    scopes = ["--scope", "records.read", "--scope", "records.review"]
    token = server.flask(
        "token", "create", "--staff", server.credentials["staff"]["username"], *scopes
    ).stdout.strip()
    answer = requests.post(
        f"{server.url}/api/v1/records/{quote(record_id, safe='')}/review",
        json={"status": status, "comment": comment},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.ok, answer.text


def test_a_returned_record_shows_the_comment_and_what_to_do(phone: Phone, server: Server) -> None:
    phone.visit_without_event()
    phone.judged()
    row = phone.records().first
    review(server, row.get_attribute("data-id") or "", "returned", "人数和台账不符，请核对")
    expect(row).to_have_attribute("data-state", "returned", timeout=SYNC_WITHIN_MS)
    row.click()
    expect(phone.page.get_by_text("人数和台账不符，请核对")).to_be_visible()
    expect(phone.page.get_by_text("点“更正”改好后重新提交")).to_be_visible()


def test_a_voided_record_says_why_offers_nothing_and_makes_its_household_open_again(
    phone: Phone, server: Server
) -> None:
    unit = phone.visit_without_event()
    phone.judged()
    row = phone.records().first
    record_id = row.get_attribute("data-id") or ""
    review(server, record_id, "voided", "同一户已由另一台手机登记")
    expect(row).to_have_attribute("data-state", "voided", timeout=SYNC_WITHIN_MS)
    expect(row).to_contain_text("已作废")
    row.click()
    expect(phone.page.get_by_text("同一户已由另一台手机登记")).to_be_visible()
    expect(phone.page.get_by_role("button", name="更正")).to_have_count(0)
    phone.page.get_by_label("返回").click()
    phone.home()
    expect(phone.page.locator(f'[data-testid=unit-row][data-id="{unit}"]')).to_be_visible()
    expect(phone.page.get_by_text("条记录需要更正")).to_have_count(0)
    review(server, record_id, "restored", "")
    expect(phone.records().first).to_have_attribute("data-state", "accepted", timeout=SYNC_WITHIN_MS)


def test_a_refused_record_is_corrected_with_its_answers_and_a_reason(phone: Phone) -> None:
    phone.page.clock.set_fixed_time("2031-03-03T10:00:00+08:00")
    phone.visit_without_event()
    expect(phone.page.get_by_text("1 条记录需要更正")).to_be_visible(timeout=SYNC_WITHIN_MS)
    expect(phone.page.get_by_text("手机时间与服务器相差")).to_be_visible()
    phone.switch_off()
    phone.switch_on().open()
    phone.page.get_by_text("1 条记录需要更正").click()
    phone.page.get_by_test_id("record-row").click()
    expect(phone.page.get_by_test_id("record")).to_have_attribute("data-state", "quarantined")
    expect(phone.page.locator("[data-rule=V002]")).to_contain_text("工作日期")
    phone.press("更正")
    phone.form()
    expect(phone.field("visit_result").get_by_label("见到本人")).to_be_checked()
    phone.choose("correction_reason", "录入错误")
    phone.press("下一页")
    phone.page.get_by_text("其他信息").click()
    phone.field("work_date").get_by_role("button", name="今天").click()
    phone.press("完成")
    phone.judged()
    expect(phone.records()).to_have_count(2)
    expect(phone.page.locator("[data-testid=record-row][data-state=accepted]")).to_have_count(1)
    expect(phone.page.get_by_text("已由新记录更正")).to_be_visible()
    phone.home()
    expect(phone.page.get_by_text("条记录需要更正")).to_have_count(0)


def test_a_withdrawn_record_makes_its_household_open_again(phone: Phone) -> None:
    unit = phone.visit_without_event()
    phone.judged()
    phone.records().first.click()
    phone.press("作废")
    phone.press("重复")
    expect(phone.page.get_by_text("已由新记录更正").first).to_be_visible()
    phone.page.get_by_label("返回").click()
    phone.home()
    phone.judged()
    expect(phone.page.locator(f'[data-testid=unit-row][data-id="{unit}"]')).to_be_visible()
