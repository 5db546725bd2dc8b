"""The pages in a real browser, against real services. One browser for a file, a fresh context for each test."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.runtime.conftest import KEY, Service, alert, environ, service

__all__ = ["KEY", "Service", "alert", "environ", "service"]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.__ran = [];
window.__refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.__refused.push(event.violatedDirective));
"""


def own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


def told(text: str) -> None:
    """A figure for who reads the run's output (`pytest -s`)."""
    sys.stderr.write(f"{text}\n")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file. Not for the whole run: Playwright's event loop would stay in the way of others' `asyncio.run`."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


class Watched:
    """A page and what it must not do: `complaints` are console errors, dialogs, refused code, calls to elsewhere."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self._seen: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self._seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", self._request)

    @property
    def complaints(self) -> list[str]:
        ran = self.page.evaluate("[...window.__ran, ...window.__refused]")
        return [*self._seen, *(f"ran or refused: {one}" for one in ran)]

    @property
    def misdeeds(self) -> list[str]:
        """Complaints, but for answers of 400 and above: where the ledger is down on purpose."""
        return [one for one in self.complaints if "Failed to load resource" not in one]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self._seen.append(f"asked elsewhere: {request.url}")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def shows(self, selector: str, words: str, seconds: float = 10) -> None:
        """Wait until the element's text has `words` in it."""
        self.page.locator(selector).filter(has_text=words).first.wait_for(timeout=seconds * 1000, state="visible")


Open = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open a service's page: `visit(running, "/dash", width=390, locale=..., scheme="light")`."""
    contexts: list[BrowserContext] = []

    def make(
        running: Any, path: str, *, width: int = 1440, height: int = 900, scheme: str = "dark", line: str = "up"
    ) -> Watched:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(WATCH)
        watched = Watched(context.new_page(), running.url)
        watched.page.goto(running.url + path)
        watched.page.locator(f'body[data-line="{line}"]').wait_for(timeout=15_000)
        return watched

    yield make
    for context in contexts:
        context.close()
