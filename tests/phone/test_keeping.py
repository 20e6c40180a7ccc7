"""What was entered is kept: through reloads, closed browsers, second tabs and half-done finishing."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.phone.phones import SYNC_WITHIN_MS, Phone

NewPhone = Callable[..., Phone]


def test_the_app_opens_without_network_after_the_first_visit(phone: Phone) -> None:
    phone.ready_for_no_network()
    phone.offline()
    phone.page.reload()
    expect(phone.page.get_by_test_id("progress")).to_be_visible()
    expect(phone.rows().first).to_be_visible()
    expect(phone.page.get_by_text("没有网络，照常填写")).to_be_visible()


def test_every_keystroke_survives_a_reload_without_network(phone: Phone) -> None:
    phone.ready_for_no_network()
    phone.offline()
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.field("resident_count").locator("input").fill("7")
    phone.page.reload()
    phone.form()
    expect(phone.field("visit_result").get_by_label("见到本人")).to_be_checked()
    expect(phone.field("resident_count").locator("input")).to_have_value("7")


def test_the_last_of_many_keystrokes_survives_a_page_that_goes_at_once(phone: Phone) -> None:
    phone.ready_for_no_network()
    phone.offline()
    phone.begin()
    phone.choose("visit_result", "见到本人")
    phone.field("resident_count").locator("input").evaluate(
        """(box) => {
            for (const text of ["1", "12", "123", "9"]) {
                box.value = text;
                box.dispatchEvent(new InputEvent("input", { bubbles: true }));
            }
            location.reload();
        }"""
    )
    phone.page.wait_for_event("load")
    phone.form()
    expect(phone.field("resident_count").locator("input")).to_have_value("9")


def test_a_draft_outlives_the_browser(phone: Phone) -> None:
    phone.ready_for_no_network()
    phone.begin(2)
    phone.choose("visit_result", "拒访")
    phone.switch_off()
    phone.switch_on().open()
    phone.page.get_by_test_id("draft").get_by_role("link").click()
    expect(phone.field("visit_result").get_by_label("拒访")).to_be_checked()


def test_leaving_a_form_keeps_it_and_deleting_asks_first(phone: Phone) -> None:
    phone.begin()
    phone.press("返回")
    expect(phone.page.get_by_test_id("draft")).to_have_count(1)
    phone.page.get_by_test_id("draft").get_by_role("button", name="删除").click()
    phone.press("取消")
    expect(phone.page.get_by_test_id("draft")).to_have_count(1)
    phone.page.get_by_test_id("draft").get_by_role("button", name="删除").click()
    phone.page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(phone.page.get_by_test_id("draft")).to_have_count(0)


def test_a_draft_is_open_in_one_tab_only(phone: Phone) -> None:
    phone.begin()
    second = phone.context.new_page()
    second.goto(phone.page.url)
    expect(second.get_by_text("正在另一个窗口里打开")).to_be_visible()


def test_a_phone_killed_between_record_and_draft_makes_one_record(phone: Phone) -> None:
    phone.offline()
    phone.fill_without_event()
    # What a kill would leave behind: the record in the outbox, the draft that names it still there.
    phone.page.evaluate("""() => {
        const original = IDBObjectStore.prototype.delete;
        IDBObjectStore.prototype.delete = function (...key) {
            return this.name === 'drafts' ? this.get('') : original.apply(this, key);
        };
    }""")
    phone.press("完成")
    expect(phone.page.get_by_test_id("sync")).to_have_attribute("data-waiting", "1")
    assert phone.kept("(await read('drafts')).length") == 1
    phone.offline(False)
    phone.page.reload()
    phone.judged()
    expect(phone.page.get_by_test_id("draft")).to_have_count(0)
    assert phone.kept("(await read('drafts')).length") == 0
    expect(phone.records()).to_have_count(1)


def test_two_taps_on_finish_make_one_record(phone: Phone) -> None:
    phone.offline()
    phone.fill_without_event()
    phone.page.get_by_role("button", name="完成").dblclick()
    expect(phone.page.get_by_test_id("sync")).to_have_attribute("data-waiting", "1")
    expect(phone.records()).to_have_count(1)


def test_one_of_two_tabs_syncs_and_both_know(phone: Phone) -> None:
    second = phone.context.new_page()
    asked: list[str] = []
    second.on("request", lambda request: asked.append(request.url) if "/sync/" in request.url else None)
    second.goto(phone.url)
    expect(second.get_by_test_id("progress")).to_be_visible()
    second.locator("[data-testid=unit-row] .go").first.click()
    second.get_by_test_id("field-visit_result").get_by_label("见到本人", exact=True).check()
    second.get_by_role("button", name="下一页").click()
    second.get_by_role("button", name="以上各项").click()
    second.get_by_role("button", name="完成").click()
    expect(second.locator('[data-testid=sync][data-unjudged="0"]')).to_be_visible(timeout=SYNC_WITHIN_MS)
    assert asked == []
    phone.page.bring_to_front()
    expect(phone.records()).to_have_attribute("data-state", "accepted")


def test_a_full_phone_says_so_and_loses_nothing(phone: Phone) -> None:
    phone.offline()
    phone.fill_without_event()
    phone.page.evaluate("""() => {
        window.open_transaction = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (stores, mode, ...more) {
            const writes = this.name.includes('outbox') && mode === 'readwrite';
            if (writes) throw new DOMException('full', 'QuotaExceededError');
            return window.open_transaction.call(this, stores, mode, ...more);
        };
    }""")
    phone.press("完成")
    expect(phone.page.get_by_text("没有存上")).to_be_visible()
    phone.page.evaluate("() => { IDBDatabase.prototype.transaction = window.open_transaction; }")
    phone.press("完成")
    expect(phone.page.get_by_test_id("sync")).to_have_attribute("data-waiting", "1")
