"""The phone app: what it weighs before first use, and how soon it answers on a slow phone.

    python -m bench.phone [--url http://127.0.0.1:8000 --code ABCD-2345] [--slow 4] [--rounds 5]

Without --url a demo server is started on a free port with a data folder of its own (about a minute).
Times are taken inside the page with Chromium's CPU slowed `--slow` times, in a window of 360×640:

  first visit      from opening the address to the enrolment page drawn and its thread free
  warm start       enrolled, app from the service worker, no network: to the village's list drawn and free
  open a form      tap to form drawn
  answer           tap on an answer to the page drawn anew (what depends on it included)
  finish           tap to the list drawn, the record in the outbox
  search           one keystroke to the list drawn anew
"""

from __future__ import annotations

import argparse
import gzip
import platform
import re
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from bench.demo import demo_server
from tests import chromium

ROOT = Path(__file__).parent.parent
DIST = ROOT / "phone" / "dist"
QUIET_MS = 100

# Resolves to the time at which `selector` was there and no task longer than 50 ms ran for a while afterwards.
READY = """([selector, quiet]) => new Promise((done) => {
    let lastBusy = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) lastBusy = Math.max(lastBusy, task.startTime + task.duration);
    }).observe({ type: 'longtask', buffered: true });
    let seen = 0;
    const look = () => {
        const now = performance.now();
        if (!seen && document.querySelector(selector)) seen = now;
        if (seen && now - Math.max(seen, lastBusy) > quiet) done(Math.max(seen, lastBusy));
        else setTimeout(look, 5);
    };
    look();
})"""

# Resolves to the ms from an action to the first frame in which `selector` is there.
TIMED = """([action, target, selector]) => new Promise((done) => {
    const element = document.querySelector(target);
    const began = performance.now();
    const drawn = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    const look = () => document.querySelector(selector) ? drawn() : setTimeout(look, 1);
    if (action === 'type') {
        element.value = 'wang';
        element.dispatchEvent(new Event('input', { bubbles: true }));
    } else element.click();
    look();
})"""


def gzipped(name: str) -> int:
    return len(gzip.compress((DIST / name).read_bytes(), 9))


def print_size() -> None:
    html = (DIST / "index.html").read_text("utf-8")
    first = re.findall(r'(?:src|href)="/phone/(assets/[^"]+\.(?:js|css))"', html)
    later = [
        f"assets/{path.name}"
        for path in (DIST / "assets").iterdir()
        if path.suffix in (".js", ".css") and f"assets/{path.name}" not in first
    ]
    kb = sum(map(gzipped, first)) / 1024
    print(f"JS and CSS before first use: {kb:.1f} KB gzipped (aim: under 150)")
    print(f"loaded when needed:          {sum(map(gzipped, later)) / 1024:.1f} KB gzipped")


def slow_down(context: BrowserContext, page: Page, times: float) -> None:
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": times})


def timed(page: Page, action: str, target: str, selector: str) -> float:
    return float(page.evaluate(TIMED, [action, target, selector]))


def one_visit(page: Page) -> dict[str, float]:
    """Times of one uneventful household, from the list to the list."""
    times: dict[str, float] = {}
    times["search"] = timed(page, "type", ".search input", ".list-count")
    page.locator(".search input").fill("")
    times["open a form"] = timed(page, "tap", ".go", "[data-testid=form] .option")
    choice = "[data-testid=field-visit_result] input[value=met]"
    times["answer"] = timed(page, "tap", choice, "[data-testid=field-resident_count] input")
    page.get_by_role("button", name="下一页").click()
    page.get_by_role("button", name="以上各项").click()
    times["finish"] = timed(page, "tap", ".foot .primary", "[data-testid=progress]")
    return times


def measure(url: str, code: str, slow: float, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}

    def note(name: str, ms: float) -> None:
        found.setdefault(name, []).append(ms)

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:

        def open_phone(name: str) -> BrowserContext:
            return playwright.chromium.launch_persistent_context(
                f"{profile}/{name}",
                executable_path=chromium.EXECUTABLE,
                args=chromium.FLAGS,
                viewport={"width": 360, "height": 640},
            )

        for turn in range(rounds):
            context = open_phone(f"fresh-{turn}")
            slow_down(context, context.pages[0], slow)
            context.pages[0].goto(f"{url}/phone/", wait_until="commit")
            note("first visit", context.pages[0].evaluate(READY, ["#code", QUIET_MS]))
            context.close()

        context = open_phone("enrolled")
        page = context.pages[0]
        page.goto(f"{url}/phone/#enrol={code}")
        page.locator(".choice").first.click()
        expect(page.locator("[data-testid=sync][data-phase=listening]")).to_be_visible(timeout=60_000)
        page.wait_for_function("navigator.serviceWorker.ready")
        page.reload()
        context.set_offline(True)
        slow_down(context, page, slow)
        for _ in range(rounds):
            page.reload(wait_until="commit")
            note("warm start", page.evaluate(READY, ["[data-testid=unit-row]", QUIET_MS]))
            for name, ms in one_visit(page).items():
                note(name, ms)
        context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url")
    parser.add_argument("--code", help="an unused enrolment code of that server")
    parser.add_argument("--slow", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not (DIST / "index.html").exists():
        sys.exit("The phone app is not built: make build")
    machine = platform.processor() or platform.machine()
    print(f"{machine}, CPU slowed {options.slow:g}×, {options.rounds} rounds, medians")
    print_size()
    if options.url:
        found = measure(options.url.rstrip("/"), options.code, options.slow, options.rounds)
    else:
        with demo_server() as server:
            code = server.credentials["enrolment"][0]["code"]
            found = measure(server.url, code, options.slow, options.rounds)
    for name, times in found.items():
        print(f"{name:12}  {statistics.median(times):6.0f} ms   ({min(times):.0f} to {max(times):.0f})")


if __name__ == "__main__":
    main()
