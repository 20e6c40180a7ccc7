"""The Chromium that tests and benchmarks drive: the distribution's own, quiet, with no network of its own."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Page, Playwright

EXECUTABLE = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=FLAGS)


def sign_in(page: Page, username: str, password: str, path: str = "/") -> None:
    """On the staff pages in Chinese; they lead on to `path`."""
    page.goto(path)
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
