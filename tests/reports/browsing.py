"""A real Chromium, and what a page did in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 8_000
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's; playwright's own would be a download."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("Chromium is not on this machine: `make test` installs it", pytrace=False)
    with sync_playwright() as driver:
        # The sandbox needs rights that containers take away; the pages are our own.
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One page that is looked at.

    Attributes:
        wrong: what must never happen: errors, warnings, requests, dialogs.
    """

    page: Page
    wrong: list[str] = field(default_factory=list)

    def asked(self, dialog: Dialog) -> None:
        """Somebody's script runs."""
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def sideways(self) -> int:
        """By how much the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@contextmanager
def visit(browser: Browser, file: Path, hash_: str = "", **context: object) -> Iterator[Visit]:
    """Open *file* in a window of its own; whatever went wrong fails in the end."""
    settings: dict[str, Any] = {"viewport": DESKTOP, **context}
    with browser.new_context(**settings) as window:
        window.set_default_timeout(PATIENCE_MS)
        page = window.new_page()
        visited = Visit(page)
        page.on("console", lambda one: visited.wrong.append(f"console: {one.text}"))
        page.on("pageerror", lambda error: visited.wrong.append(f"error: {error}"))
        page.on("dialog", visited.asked)
        page.on("request", lambda one: visited.wrong.append(one.url))
        page.goto(file.as_uri() + hash_)
        visited.wrong = [url for url in visited.wrong if url.partition("#")[0] != file.as_uri()]
        yield visited
        assert [one for one in visited.wrong if not one.startswith("data:")] == []
