"""Old hands, small screens, no eyes: targets of 48 px or more, type of 16 or more, a name for everything."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.phone.phones import Phone

NewPhone = Callable[..., Phone]

FAULTS = """() => {
    const faults = [];
    const wide = document.documentElement.scrollWidth;
    if (wide > innerWidth) faults.push(`the page is ${wide} px wide`);
    for (const element of document.querySelectorAll('a, button, input, textarea, summary')) {
        if (!element.checkVisibility()) continue;
        const box = element.getBoundingClientRect();
        const what = element.outerHTML.slice(0, 90);
        if (box.height < 48 || box.width < 48) faults.push(`${box.width}×${box.height}: ${what}`);
        const labels = element.labels ? [...element.labels].map((label) => label.innerText).join('') : '';
        const refers = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean);
        const named = refers.map((id) => document.getElementById(id)?.innerText ?? '').join('');
        const name = element.getAttribute('aria-label') || named || labels || element.innerText;
        if (!name) faults.push(`no name: ${what}`);
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !parent.checkVisibility()) continue;
        const px = parseFloat(getComputedStyle(parent).fontSize);
        if (px < 16) faults.push(`${px} px type: ${walker.currentNode.data}`);
    }
    return faults;
}"""


def faults(phone: Phone) -> list[str]:
    found: list[str] = phone.page.evaluate(FAULTS)
    return found


def test_enrolment_is_fit_for_a_thumb(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False, width=360, height=640).open()
    expect(phone.page.get_by_label("入网码", exact=True)).to_be_visible()
    assert faults(phone) == []


@pytest.mark.parametrize("language", ["中文", "English"])
def test_every_screen_is_fit_for_a_thumb(new_phone: NewPhone, language: str) -> None:
    phone = new_phone(width=360, height=640)
    page = phone.page
    page.get_by_role("navigation").get_by_role("link").nth(2).click()
    page.get_by_role("button", name=language).click()
    assert faults(phone) == []
    page.get_by_role("navigation").get_by_role("link").nth(0).click()
    expect(phone.rows().first).to_be_visible()
    assert faults(phone) == []
    for tab in range(3):
        page.get_by_role("tab").nth(tab).click()
        phone.begin()
        for step in range(page.locator(".steps button").count() or 1):
            if page.locator(".steps button").count():
                page.locator(".steps button").nth(step).click()
            assert faults(phone) == []
        page.locator(".top .square").click()
        expect(page.get_by_test_id("drafts")).to_be_visible()
    assert faults(phone) == []
    page.locator(".row a").first.click()
    expect(page.locator(".unit-state")).to_be_visible()
    assert faults(phone) == []


def test_a_day_and_its_time_are_shown_whole_on_a_small_screen(new_phone: NewPhone) -> None:
    phone = new_phone(width=360, height=640)
    phone.begin()
    phone.choose("visit_result", "约定再访")
    box = phone.field("next_visit_at").locator("input")
    box.fill("2031-12-31T23:59")
    # The widest way to write it, in a box of no given width, is what the browser itself would take.
    needed = box.evaluate("""(input) => {
        const free = input.cloneNode();
        free.value = input.value;
        free.style.cssText = 'position: absolute; width: max-content; min-width: max-content';
        input.after(free);
        const { width } = free.getBoundingClientRect();
        free.remove();
        return width;
    }""")
    shown = box.bounding_box()
    assert shown is not None
    assert shown["width"] >= needed


def test_a_household_is_filled_by_keyboard_alone(phone: Phone) -> None:
    phone.begin()
    phone.field("visit_result").get_by_role("radio").first.focus()
    phone.page.keyboard.press("Space")
    expect(phone.field("visit_result").get_by_label("见到本人")).to_be_checked()
    phone.page.get_by_role("button", name="下一页").focus()
    phone.page.keyboard.press("Enter")
    phone.page.get_by_role("button", name="以上各项").focus()
    phone.page.keyboard.press("Enter")
    phone.page.get_by_role("button", name="完成").focus()
    phone.page.keyboard.press("Enter")
    expect(phone.page.get_by_test_id("progress")).to_be_visible()


def test_no_request_leaves_for_a_foreign_host(new_phone: NewPhone) -> None:
    phone = new_phone(enrolled=False)
    hosts: set[str] = set()
    phone.page.on(
        "request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None
    )
    phone.open()
    phone.press("English")
    assert hosts <= {phone.url.split("/")[2]}
