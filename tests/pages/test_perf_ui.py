"""The ledger's page, in Chromium, against the real service."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runtime import clock
from tests.pages import seed
from tests.pages.conftest import Watched, own_address, told

pytestmark = pytest.mark.page

Open = Callable[..., Watched]
Start = Callable[..., Any]


@pytest.fixture
def filled(service: Start) -> Any:
    ledger = service("runtime.perf").start()
    now = clock.now()
    seed.tell(ledger.url, itertools.chain(seed.trades(now, count=60), seed.still_open(now)), "/perf/event")
    return ledger


def test_it_shows_the_figures_of_the_ledger(filled: Any, visit: Open) -> None:
    found, kpi = filled.get("/perf/summary"), filled.get("/perf/kpi")["all"]
    perf = visit(filled, "/perf/ui")
    french = lambda value, digits=2: f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")  # noqa: E731
    perf.shows("#tiles", french(found["equity_last"]))
    perf.shows("#kpi", f"{french(kpi['profit_factor'])}")
    perf.shows("#kpi", f"{french(kpi['drawdown']['amount'])}")
    perf.shows("#groups", "GOLD_CFD_LONG")
    perf.shows("#open", "+1,28 R")
    perf.shows("#open", "sans cours")
    perf.page.locator("#equity canvas").first.wait_for()
    bins = sum(int(one or 0) for one in perf.page.locator("#histogram .count").all_inner_texts())
    assert bins == 60
    assert perf.complaints == []


def test_groups_filters_and_pages(filled: Any, visit: Open) -> None:
    perf = visit(filled, "/perf/ui")
    rows = perf.page.locator("#trades tbody tr")
    perf.shows("#trades", "open-coin")
    assert rows.count() == 50
    perf.page.locator("#older").click()
    perf.shows("#trades", "seed-0")
    assert rows.count() == 12
    assert perf.page.locator("#older").is_disabled()
    perf.page.locator("#newer").click()
    perf.shows("#trades", "open-coin")
    perf.page.locator("#t-status").select_option("OPEN")
    rows.nth(2).wait_for(state="detached")
    assert rows.count() == 2
    for by, word in (("session", "Résultats par Séance"), ("hour", " h"), ("weekday", "lundi"), ("symbol", "XAUUSD")):
        perf.page.locator(f"[data-by={by}]").click()
        perf.shows("#groups", word)
        assert perf.page.locator(f"[data-by={by}]").get_attribute("aria-pressed") == "true"
    with perf.page.expect_download() as given:
        perf.page.locator("#csv").click()
    lines = given.value.path().read_text().splitlines()
    assert len(lines) == 3, "what is filtered is what is exported"
    assert perf.complaints == []


def test_a_trade_appears_by_itself(filled: Any, visit: Open) -> None:
    perf = visit(filled, "/perf/ui")
    opening = {"type": "OPEN", "trade_id": "fresh", "engine": "E", "symbol": "NEWSYM", "side": "LONG", "entry": 100}
    filled.post(opening | {"qty": 1, "stop": 95, "risk_usd": 5}, "/perf/event")
    perf.shows("#open", "NEWSYM", 2)
    filled.post({"type": "UPDATE", "trade_id": "fresh", "mark": 107.5}, "/perf/event")
    perf.shows('#open tr:has-text("NEWSYM")', "+1,50 R", 2)
    filled.post({"type": "CLOSE", "trade_id": "fresh", "exit": 110}, "/perf/event")
    perf.shows('#trades tr:has-text("NEWSYM")', "+2,00 R", 4)


def test_what_a_sender_writes_is_text(filled: Any, visit: Open) -> None:
    perf = visit(filled, "/perf/ui")
    text = "<img src=x onerror=__ran.push(1)>"
    opening = {"type": "OPEN", "trade_id": f"{text}1", "engine": text, "symbol": text, "side": "LONG", "entry": 1}
    filled.post(opening | {"qty": 1, "meta": {text: text}}, "/perf/event")
    perf.shows("#open", text, 3)
    perf.shows("#trades", text, 3)
    filled.post({"type": "CLOSE", "trade_id": f"{text}1", "exit": 2}, "/perf/event")
    perf.shows("#groups", text, 4)
    assert perf.page.locator("main img").count() == 0
    assert perf.complaints == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_dead_server_is_said_within_three_seconds(filled: Any, visit: Open, how: signal.Signals) -> None:
    perf = visit(filled, "/perf/ui")
    begun = time.monotonic()
    filled.process.send_signal(how)
    perf.page.locator('body[data-line="down"]').wait_for(timeout=5000)
    taken = time.monotonic() - begun
    told(f"{how.name}: DISCONNECTED after {taken:.2f} s")
    assert taken < 3


def test_from_another_machine_it_asks_for_the_token(service: Start, environ: dict[str, str], visit: Open) -> None:
    address = own_address()
    environ["LISTEN_HOST"] = "0.0.0.0"  # noqa: S104
    running = service("runtime.perf").start()
    url = running.url.replace("127.0.0.1", address)
    assert httpx.get(url + "/perf/summary").status_code == 401
    seed.tell(running.url, seed.still_open(clock.now()), "/perf/event")
    running.url = url
    perf = visit(running, "/perf/ui", line="wait")
    perf.shows("#token-note", "le registre demande son jeton")
    perf.page.locator("#token").fill("not the token")
    perf.page.keyboard.press("Enter")
    perf.shows("#token-note", "Jeton refusé")
    perf.page.locator("#token").fill(environ["PERF_TOKEN"])
    perf.page.keyboard.press("Enter")
    perf.shows("#open", "XAUUSD")
    assert not perf.page.locator("#token-form").is_visible()
    with perf.page.expect_download() as given:
        perf.page.locator("#csv").click()
    assert "open-gold" in given.value.path().read_text()
    assert perf.page.evaluate("JSON.stringify([{...localStorage}, document.cookie, location.href])").count("token") == 0
    perf.page.reload()
    perf.shows("#open", "XAUUSD")


@pytest.mark.parametrize("width", [390, 1440, 3840])
def test_nothing_overflows(filled: Any, visit: Open, width: int) -> None:
    perf = visit(filled, "/perf/ui", width=width)
    perf.shows("#trades", "open-coin")
    assert perf.page.evaluate("document.documentElement.scrollWidth") <= width


def test_english_by_setting(service: Start, environ: dict[str, str], visit: Open) -> None:
    environ["UI_LANGUAGE"] = "en"
    perf = visit(service("runtime.perf").start(), "/perf/ui")
    perf.shows("#equity", "No closed trade yet.")
    perf.shows("#open", "No open trade.")
    perf.shows("#trades", "No trade.")
