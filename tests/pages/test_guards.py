"""Pauses, guards, checklists and candles on the dashboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages import seed
from tests.pages.conftest import KEY, Watched

pytestmark = pytest.mark.page

Make = Callable[..., dict[str, Any]]
Open = Callable[..., Watched]

GOLD = {"checklist": ["htf", "news"], "max_trades_day": 1, "modes": {"max_trades_day": "warn"}}
GUARDS = {
    "account": {"max_trades_day": 5},
    "engines": {
        "GOLD_CFD_LONG": {"checklist": ["htf", "news"], "max_trades_day": 1, "modes": {"max_trades_day": "warn"}}
    },
}


@pytest.fixture
def guarded(service: Callable[..., Any], environ: dict[str, str]) -> Any:
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": GUARDS}))
    return service().start()


def act(dash: Watched, key: str = "ops-key-of-the-tests") -> None:
    dash.page.locator("#ops-key").fill(key)
    dash.page.locator("#ops-go").click()


def test_everything_is_paused_and_resumed(guarded: Any, visit: Open, alert: Make) -> None:
    dash = visit(guarded, "/dash")
    dash.shows("#guards", "Aucune pause.")
    dash.page.locator("#pause").click()
    dash.page.locator("#ops-fields [name=minutes]").fill("30")
    dash.page.locator("#ops-fields [name=reason]").fill("<b>dentist</b>")
    act(dash, "wrong")
    dash.shows("#ops-error", "Clé opérateur refusée")
    act(dash)
    dash.shows("#guards .paused", "En pause : tout")
    dash.shows("#guards .paused", "(page) · <b>dentist</b>")
    assert guarded.post(alert(engine="USDTM_LONG", symbol="B")).status_code == 409
    dash.shows("#feed li.refused", "pause")
    dash.page.locator("#resume").click()
    act(dash)
    dash.shows("#guards", "Aucune pause.")
    assert dash.misdeeds == []


def test_one_engine_is_paused(guarded: Any, visit: Open) -> None:
    dash = visit(guarded, "/dash")
    dash.shows("#guards", "Aucune pause.")
    dash.page.locator("#pause").click()
    dash.page.locator("#ops-fields [name=scope]").select_option("USDTM_LONG")
    act(dash)
    dash.shows("#guards .paused", "En pause : USDTM_LONG")
    dash.shows('#guards tr:has-text("USDTM_LONG")', "BLOQUE")


def test_a_checklist_is_confirmed_item_by_item(guarded: Any, visit: Open, alert: Make) -> None:
    dash = visit(guarded, "/dash")
    dash.shows('#guards tr:has-text("GOLD_CFD_LONG")', "BLOQUE")
    assert guarded.post(alert()).status_code == 409
    dash.shows("#feed li.refused", "checklist")
    for item in ("htf", "news"):
        dash.page.get_by_role("button", name=f"Confirmer {item}").click()
        act(dash)
        dash.shows(f'#guards tr:has-text("{item}")', "confirmé")
    assert guarded.post(alert(id="2")).status_code == 200
    assert guarded.post(alert(id="3")).status_code == 200
    dash.shows('#guards tr:has-text("max_trades_day")', "avertit")
    dash.page.locator("#guards details summary").click()
    dash.shows("#guards details", "max_trades_day")


def test_bars_are_candles_and_no_lines_of_the_feed(guarded: Any, visit: Open, alert: Make) -> None:
    asked: list[str] = []
    dash = visit(guarded, "/dash")
    dash.page.on("request", lambda request: asked.append(request.url))
    guarded.post(alert(engine="TV_TEST", reason="an alert"))
    dash.shows("#feed", "an alert")
    assert not dash.page.locator("#candles-panel").is_visible()
    assert not any("lightweight" in url for url in asked), "the library is for those who have candles"
    seed.tell(guarded.url, seed.bars(KEY, count=30), "/tv")
    dash.page.locator("#candles canvas").first.wait_for(timeout=20_000)
    assert dash.page.locator("#f-symbol option").all_inner_texts() == ["XAUUSD"]
    assert "30" in (dash.page.locator("#candles [role=img]").get_attribute("aria-label") or "")
    dash.shows("#candles-panel", "TradingView Lightweight Charts™")
    assert dash.page.locator("#feed li").count() == 1
    assert sum("lightweight" in url for url in asked) == 1
    assert dash.misdeeds == []
