"""A volunteer's phone for tests: Chromium with a profile of its own, and words for what one does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect

from tests import chromium

SYNC_WITHIN_MS = 60_000


class Phone:
    def __init__(
        self, playwright: Playwright, server_url: str, profile: Path, *, width: int = 412, height: int = 915
    ) -> None:
        self.url = f"{server_url}/phone/"
        self._playwright = playwright
        self._profile = profile
        self._size = (width, height)
        self.complaints: list[str] = []
        self.context: BrowserContext
        self.page: Page
        self.switch_on()

    def switch_on(self) -> Phone:
        width, height = self._size
        self.context = self._playwright.chromium.launch_persistent_context(
            self._profile,
            executable_path=chromium.EXECUTABLE,
            args=chromium.FLAGS,
            viewport={"width": width, "height": height},
            has_touch=True,
            is_mobile=True,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            permissions=["geolocation", "camera", "microphone"],
            geolocation={"latitude": 36.5, "longitude": 117.86, "accuracy": 12},
        )
        self.page = self.context.pages[0]
        self.page.on("pageerror", lambda error: self.complaints.append(error.stack or str(error)))
        return self

    def switch_off(self) -> None:
        self.context.close()

    def open(self, after: str = "") -> Phone:
        self.page.goto(self.url + after)
        return self

    def enrol(self, code: str, filler: int = 0) -> Phone:
        self.open(f"#enrol={code}")
        self.page.locator(".choice").nth(filler).click()
        self.synced()
        return self

    def offline(self, is_offline: bool = True) -> None:
        self.context.set_offline(is_offline)

    def synced(self) -> None:
        expect(self.page.locator("[data-testid=sync][data-phase=listening]")).to_be_visible(
            timeout=SYNC_WITHIN_MS
        )

    def ready_for_no_network(self) -> None:
        """The service worker has the whole app and answers for this page."""
        self.page.wait_for_function("navigator.serviceWorker.controller || navigator.serviceWorker.ready")
        self.page.reload()
        self.page.wait_for_function("Boolean(navigator.serviceWorker.controller)")

    def judged(self) -> None:
        """Every record of this phone has a verdict."""
        expect(self.page.locator('[data-testid=sync][data-unjudged="0"]')).to_be_visible(
            timeout=SYNC_WITHIN_MS
        )

    def waiting(self) -> int:
        return int(self.page.get_by_test_id("sync").get_attribute("data-waiting") or "-1")

    def waits(self, count: int) -> None:
        """As many records of this phone are not received."""
        expect(self.page.get_by_test_id("sync")).to_have_attribute("data-waiting", str(count))

    def home(self) -> None:
        self.page.get_by_role("link", name="今日").click()

    def records(self) -> Locator:
        self.page.get_by_role("navigation").get_by_role("link", name="记录").click()
        return self.page.get_by_test_id("record-row")

    def states(self, count: int) -> dict[str, str]:
        """By record id, of a phone that has as many records."""
        rows = self.records()
        expect(rows).to_have_count(count)
        return {
            row.get_attribute("data-id") or "": row.get_attribute("data-state") or "" for row in rows.all()
        }

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def rows(self) -> Locator:
        return self.page.get_by_test_id("unit-row")

    def begin(self, index: int = 0) -> str:
        """Start the form of the row at this place; returns the unit's id."""
        row = self.rows().nth(index)
        unit = row.get_attribute("data-id") or ""
        row.locator(".go").click()
        self.form()
        return unit

    def begin_delivery(self, index: int = 0) -> str:
        """Start the form of the roster entry at this place, at its result; returns the entry's id."""
        self.tab("花名册")
        unit = self.begin(index)
        expect(self.page.locator('[data-testid^="field-"]').first).to_be_visible()
        if self.field("delivery_result").count() == 0:
            self.press("下一页")
        return unit

    def form(self) -> Locator:
        form = self.page.get_by_test_id("form")
        expect(form).to_be_visible()
        return form

    def field(self, path: str) -> Locator:
        return self.page.locator(f'[data-testid="field-{path}"]')

    def choose(self, path: str, label: str) -> None:
        self.field(path).get_by_label(label, exact=True).check()

    def type(self, path: str, text: str) -> None:
        box = self.field(path).locator("input, textarea").first
        box.fill(text)
        box.blur()

    def press(self, name: str, **more: Any) -> None:
        self.page.get_by_role("button", name=name, **more).click()

    def fill_without_event(self, index: int = 0) -> str:
        """An uneventful visit of the household at this place, but for the last press; returns its id."""
        unit = self.begin(index)
        self.choose("visit_result", "见到本人")
        self.press("下一页")
        self.press("以上各项")
        return unit

    def visit_without_event(self, index: int = 0) -> str:
        unit = self.fill_without_event(index)
        self.press("完成")
        expect(self.page.get_by_test_id("progress")).to_be_visible()
        return unit

    def kept(self, script: str) -> Any:
        """Ask this phone's own databases; `read(store)`, `outbox()` and `households()` are at hand."""
        return self.page.evaluate(f"async () => {{ {LOOK_INSIDE} return {script}; }}")


LOOK_INSIDE = """
const settled = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});
const all = async (name, store) => {
  const database = await settled(indexedDB.open(name));
  const rows = await settled(database.transaction(store).objectStore(store).getAll());
  database.close();
  return rows;
};
const read = (store) => all('gridbook', store);
const documents = async (kind) => {
  const names = (await indexedDB.databases()).map((each) => each.name);
  const boxes = names.filter((name) => name.startsWith(`_pouch_gridbook-${kind}`));
  return (await Promise.all(boxes.map((name) => all(name, 'by-sequence')))).flat();
};
const outbox = () => documents('outbox');
const households = async () => (await documents('register')).filter((each) => each.type === 'household');
"""
