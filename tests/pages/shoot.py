"""Takes the documentation's pictures of the pages, with made-up data.

PYTHONPATH=. .venv-test/bin/python tests/pages/shoot.py [FOLDER]
"""

from __future__ import annotations

import itertools
import math
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from miner.monitor.history import History
from miner.readings import Reading
from runtime import clock
from tests.fakes.cgminer import Cgminer, Pool, Stick
from tests.miner.usb_kit import Bus, Plug
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
    ("miner", "/miner", "en", "dark", 1440, 1000, True),
    ("miner-390", "/miner", "fr", "light", 390, 844, True),
)
LARGEST = 300_000
DOCUMENTED = ("dash-fr-dark", "dash-en-light", "dash-390", "journal", "perf-ui", "miner")
READY = {"/journal": "article", "/miner": "#trend canvas"}


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
    page.locator(READY.get(path, "#equity canvas")).first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=target / f"{name}.png", full_page=whole)
    context.close()
    if name in DOCUMENTED and (target / f"{name}.png").stat().st_size > LARGEST:
        raise SystemExit(f"{name}.png is over {LARGEST} bytes: take less of the page")


@contextmanager
def rig(folder: Path, language: str) -> Iterator[Service]:
    """A miner of six sticks: one was unplugged a moment ago, one has lowered its frequency."""
    made = folder / "rig"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    bus, serials = Bus(made / "usb"), [f"100{number}481" for number in range(1, 7)]
    bus.hub("1-1")
    for number, serial in enumerate(serials, 1):
        bus.plug(Plug(f"1-1.{number}", serial, number=number, driver="usbfs"))
    sticks = [
        Stick(one, share=0.78 - 0.012 * at, accepted=4000 - 37 * at, hw_errors=at, rejected=7)
        for at, one in enumerate(serials)
    ]
    sticks[4].mhz = 310.0
    with Cgminer(
        sticks=sticks,
        pools=[Pool(accepted=23_000, rejected=42), Pool("stratum+tcp://b.example.org:3333", active=False)],
    ) as miner:
        miner.began -= 3 * 86_400
        paths = {"MONITOR_SYSFS": str(bus.sysfs), "MONITOR_DEV": str(bus.dev), "MONITOR_MINER_USER": "root"}
        said = paths | {"MONITOR_CGMINER": f"127.0.0.1:{miner.port}", "MONITOR_HOST": "rig", "MONITOR_WATTS": "72"}
        environment = environ(made, UI_LANGUAGE=language, MONITOR_RULES="/no/such/file", **said)
        remember(made / "state" / "readings.db", serials)
        with running("miner.monitor", environment) as monitor:
            _see(monitor, lambda known: known["present"] == 6)
            bus.unplug("1-1.2")
            miner.unplug(serials[1])
            _see(monitor, lambda known: known["present"] == 5 and known["alerts"])
            yield monitor


def _see(monitor: Service, wanted: Callable[[dict[str, Any]], bool]) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        sticks, alerts = monitor.get("/api/miner")["sticks"], monitor.get("/api/monitor")["alerts"]
        if wanted({"present": sum(one["present"] for one in sticks), "alerts": alerts}):
            return
        time.sleep(0.2)
    raise SystemExit("the monitor does not see the rig as it is")


def remember(path: Path, serials: list[str]) -> None:
    """A day of readings, a minute apart, with a break in it."""
    history, now = History(path, 64_000_000), clock.now().timestamp()
    for minute in range(24 * 60, 0, -1):
        if not 600 < minute < 640:
            at = now - minute * 60
            each = {
                one: 196 + 6 * math.sin(at / 500 + 2 * number) + 9 * math.sin(at / 9000)
                for number, one in enumerate(serials)
            }
            found = [Reading("stick.ghs", one, ghs) for one, ghs in each.items()]
            history.add(at, [*found, Reading("miner.ghs", "", sum(each.values()))])
    history.close()


def main(target: Path, names: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        if any(one[0] in names and one[1] != "/miner" for one in SHOTS):
            fill(folder)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for shot in [one for one in SHOTS if one[0] in names and one[1] == "/miner"]:
            with rig(folder, shot[2]) as monitor:
                shoot(browser, monitor.url, target, shot)
        for shot in [one for one in SHOTS if one[0] in names and one[1] != "/miner"]:
            with running("runtime.perf", environ(folder, UI_LANGUAGE=shot[2])) as perf:
                more = {"UI_LANGUAGE": shot[2], "PERF_URL": perf.url}
                with running("runtime.webhook", environ(folder, **more)) as webhook:
                    shoot(browser, perf.url if shot[1] == "/perf/ui" else webhook.url, target, shot)
        browser.close()


if __name__ == "__main__":
    chosen = sys.argv[2:] or list(DOCUMENTED)
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img"), tuple(chosen))
