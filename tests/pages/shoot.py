"""Takes the documentation's pictures of the pages, with made-up data.

PYTHONPATH=. .venv-test/bin/python tests/pages/shoot.py [FOLDER]
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from runtime import clock
from tests.pages import seed
from tests.pages.conftest import ARGUMENTS, CHROMIUM, Service
from tests.runtime.conftest import KEY

SHOTS = (  # name, page, language, scheme, width, height, the whole page
    ("dash-fr-dark", "/dash", "fr", "dark", 1440, 900, True),
    ("dash-en-light", "/dash", "en", "light", 1440, 900, True),
    ("dash-390", "/dash", "fr", "dark", 390, 844, False),
    ("dash-4k", "/dash", "en", "dark", 3840, 2160, False),
    ("journal", "/journal", "fr", "light", 1440, 1000, False),
    ("journal-dark", "/journal", "en", "dark", 1440, 1000, True),
    ("journal-390", "/journal", "fr", "dark", 390, 844, False),
    ("journal-390-light", "/journal", "fr", "light", 390, 844, True),
    ("perf-ui", "/perf/ui", "en", "dark", 1440, 1180, False),
    ("perf-ui-390", "/perf/ui", "fr", "light", 390, 844, False),
    ("perf-ui-4k", "/perf/ui", "fr", "light", 3840, 2160, False),
)
LARGEST = 300_000
DOCUMENTED = ("dash-fr-dark", "dash-en-light", "dash-390", "journal", "perf-ui")


def environ(folder: Path, **more: str) -> dict[str, str]:
    state = folder / "state"
    state.mkdir(exist_ok=True)
    keys = {"TV_WEBHOOK_KEY": KEY, "OPS_ADMIN_KEY": "ops-key", "PERF_TOKEN": "token", "LISTEN_PORT": "0"}
    paths = {"TRADING_STATE_DIR": str(state), "JOURNAL_PATH": str(folder / "journal.md")}
    return keys | paths | {"ENGINES_PATH": str(state / "risk_config.json")} | more


@contextmanager
def running(module: str, environment: dict[str, str]) -> Iterator[Service]:
    service = Service(module, environment).start()
    try:
        yield service
    finally:
        service.kill()


def fill(folder: Path) -> None:
    """A ledger and a webhook's store as they are after some months; the webhook's own trades go to a silent ledger."""
    with running("runtime.perf", environ(folder)) as perf:
        now = clock.now()
        seed.tell(perf.url, itertools.chain(seed.trades(now), seed.still_open(now)), "/perf/event")
    with running("runtime.webhook", environ(folder, PERF_URL="http://127.0.0.1:9")) as webhook:
        seed.tell(webhook.url, seed.bars(KEY), "/tv")
        seed.tell(webhook.url, seed.alerts(KEY), "/tv")
    spread(folder / "state" / "webhook.db")
    (folder / "journal.md").write_text(seed.journal(clock.now()))


def spread(path: Path) -> None:
    """Alerts that were all posted within a second, over a morning."""
    with sqlite3.connect(path) as store:
        rows = [row for (row,) in store.execute("SELECT id FROM events ORDER BY id DESC")]
        store.execute("UPDATE outbox SET delivered = 999999 WHERE sink = 'perf'")
        at = clock.now() - timedelta(seconds=40)
        for number, row in enumerate(rows):
            at -= timedelta(seconds=37 + 211 * (number % 5))
            store.execute("UPDATE events SET ts = ? WHERE id = ?", (clock.iso(at), row))
        held = "SELECT ts FROM events WHERE engine = 'USDTM_LONG' ORDER BY id LIMIT 1"
        store.execute(f"UPDATE router SET since = ({held}), renewed = ({held}), updated_at = ({held})")  # noqa: S608


def shoot(browser: Browser, url: str, target: Path, shot: tuple[str, str, str, str, int, int, bool]) -> None:
    name, path, _, scheme, width, height, whole = shot
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("console", lambda said: sys.stderr.write(f"{name}: {said.text}\n"))
    page.on("pageerror", lambda error: sys.stderr.write(f"{name}: {error}\n"))
    page.goto(url + path)
    page.locator('body[data-line="up"]').wait_for()
    page.locator("article" if path == "/journal" else "#equity canvas").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=target / f"{name}.png", full_page=whole)
    context.close()
    if name in DOCUMENTED and (target / f"{name}.png").stat().st_size > LARGEST:
        raise SystemExit(f"{name}.png is over {LARGEST} bytes: take less of the page")


def main(target: Path, names: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        fill(folder)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for shot in [one for one in SHOTS if one[0] in names]:
            with running("runtime.perf", environ(folder, UI_LANGUAGE=shot[2])) as perf:
                more = {"UI_LANGUAGE": shot[2], "PERF_URL": perf.url}
                with running("runtime.webhook", environ(folder, **more)) as webhook:
                    shoot(browser, perf.url if shot[1] == "/perf/ui" else webhook.url, target, shot)
        browser.close()


if __name__ == "__main__":
    chosen = sys.argv[2:] or list(DOCUMENTED)
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img"), tuple(chosen))
