"""The dashboard as a person meets it, in Chromium, against real services."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import clock
from runtime.tunnel import failures, state
from tests.pages import seed
from tests.pages.conftest import KEY, Watched, own_address, told

pytestmark = pytest.mark.page

Make = Callable[..., dict[str, Any]]
Open = Callable[..., Watched]
Start = Callable[..., Any]

OPS_KEY = "ops-key-of-the-tests"
DOWN = 'body[data-line="down"]'
UP = 'body[data-line="up"]'


@pytest.fixture
def filled(service: Start, environ: dict[str, str]) -> Any:
    """A webhook and its ledger with a morning's alerts; `filled.ledger` is the ledger."""
    ledger = service("runtime.perf").start()
    environ["PERF_URL"] = ledger.url
    running = service().start()
    seed.tell(running.url, seed.alerts(KEY), "/tv")
    running.ledger = ledger
    return running


def test_it_shows_what_the_service_knows(filled: Any, visit: Open) -> None:
    dash = visit(filled, "/dash")
    dash.shows("#lock", "USDTM_LONG")
    dash.shows("#engines", "GOLD_CFD_LONG")
    dash.shows("#engines", "actif")
    dash.shows("#health", "journal.md")
    dash.shows("#tiles", "prêt")
    dash.shows("#open", "SOLUSDT.P")
    dash.shows('#feed li:has-text("SCALPER_EU")', "noté")
    dash.shows('#feed li.refused:has-text("COINM_SHORT")', "verrouillé")
    dash.shows('#feed li.refused:has-text("COINM_SHORT")', "tient le verrou")
    dash.shows('#feed li.refused:has-text("invalide")', "sl : 2040 doit être en dessous du prix 2030 pour un BUY")
    dash.page.locator("#f-outcome").select_option("refused")
    assert dash.page.locator("#feed li").count() == 2
    dash.page.locator("#f-engine").select_option("COINM_SHORT")
    assert dash.page.locator("#feed li").count() == 1
    dash.page.locator("#f-engine").select_option("SCALPER_EU")
    dash.shows("#feed", "Aucune alerte ne correspond au filtre.")
    assert dash.complaints == []


def test_the_tunnel_s_state_is_shown_and_what_to_do(
    service: Start, environ: dict[str, str], visit: Open, tmp_path: Path
) -> None:
    file, url, taken = tmp_path / "tunnel.json", "https://name.ngrok-free.dev", failures.NGROK["334"]
    environ["TUNNEL_STATE"] = str(file)
    state.write(file, state.now("ngrok", "up", url=url))
    dash = visit(service().start(), "/dash")
    dash.shows('#health tr:has-text("tunnel")', url)
    state.write(file, state.now("ngrok", "failed", url=url, why=taken.why, hint=taken.hint))
    dash.shows('#health tr:has-text("tunnel")', "l'URL est prise ailleurs : un autre agent la tient")
    dash.shows('#health tr:has-text("tunnel")', "activer tunnel.take_over")
    file.unlink()
    dash.page.locator('#health tr:has-text("tunnel")').wait_for(state="detached", timeout=5000)
    assert dash.misdeeds == []


def test_the_node_s_state_is_shown(service: Start, environ: dict[str, str], visit: Open, tmp_path: Path) -> None:
    file, row = tmp_path / "probe.json", '#health tr:has-text("nœud BlockDAG")'
    environ["NODE_STATE"] = str(file)

    def probed(state: str, **more: Any) -> None:
        rpc = {"state": "up", "height": 4242, "peers": 3, "lag": 0, "syncing": False}
        found = {"at": clock.iso(clock.now()), "node": "blockdag", "container": {"state": state}, "rpc": rpc, **more}
        file.write_text(json.dumps(found))

    probed("running")
    dash = visit(service().start(), "/dash")
    dash.shows(row, "bloc 4242, 3 pairs, 0 de retard")
    probed("exited", why="the container <b>exited</b> with code 7")
    dash.shows(row, "the container <b>exited</b> with code 7")
    file.unlink()
    dash.page.locator(row).wait_for(state="detached", timeout=5000)
    assert dash.misdeeds == []


def test_an_alert_appears_within_two_seconds(filled: Any, visit: Open, alert: Make) -> None:
    dash = visit(filled, "/dash")
    dash.page.evaluate("window.__kept = 1")
    begun = time.monotonic()
    filled.post(alert(symbol="XAGUSD", price=24, sl=23.5, tp=25, reason="just now"))
    dash.shows("#feed li:first-child", "XAGUSD", 2)
    told(f"shown after {time.monotonic() - begun:.2f} s")
    dash.shows("#open", "XAGUSD", 8)  # the ledger was told, and the page asked it again
    assert dash.page.evaluate("window.__kept") == 1, "without a reload"
    assert dash.complaints == []


INJECTIONS = (
    "<img src=x onerror=__ran.push(1)>",
    "<script>__ran.push(2)</script>",
    '"><svg onload=__ran.push(3)>',
    "javascript:__ran.push(4)",
    "' onmouseover=__ran.push(5) '",
    "{{7*7}}${__ran.push(6)}%27",
    "</b></details><iframe srcdoc='<script>parent.__ran.push(7)</script>'>",
    "&lt;b&gt; &#60;i&#62; مرحبا ＜u＞",
)


def test_what_a_sender_writes_is_text(filled: Any, visit: Open, alert: Make) -> None:
    dash = visit(filled, "/dash")
    for text in INJECTIONS:
        name, more = text[:64], {text: text, "extra": [text]}
        answer = filled.post(alert(symbol=name, tf=text[:30], reason=f"{text} reason", trade_id=text, **more))
        assert answer.status_code == 200, answer.text
        assert filled.post(alert(engine=name, symbol="S2", reason=text)).status_code == 200
        assert filled.post(alert(engine=name, sl=text)).status_code == 400
        dash.shows(f"#feed li[data-id='{answer.json()['id']}']", f"{text} reason", 5)
        row = dash.page.locator(f"#feed li[data-id='{answer.json()['id']}']")
        row.locator("summary").click()
        assert text in row.locator("dl code").inner_text().replace('\\"', '"')
    for text in INJECTIONS:
        dash.shows("#open", text[:64], 8)
    dash.page.locator("#f-engine").select_option(INJECTIONS[0])
    assert dash.page.locator("#feed li").count() == 2
    assert dash.page.locator("#feed, #open").locator("img, script, svg, iframe").count() == 0
    assert dash.complaints == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_dead_server_is_said_within_three_seconds(filled: Any, visit: Open, how: signal.Signals) -> None:
    dash = visit(filled, "/dash")
    dash.page.wait_for_timeout(700)
    begun = time.monotonic()
    filled.process.send_signal(how)
    dash.page.locator(DOWN).wait_for(timeout=5000)
    taken = time.monotonic() - begun
    told(f"{how.name}: DISCONNECTED after {taken:.2f} s")
    assert taken < 3
    dash.shows("#alarm", "DÉCONNECTÉ")
    dash.shows("#alarm-since", "depuis")
    assert dash.page.title().startswith("⚠ DÉCONNECTÉ")
    assert dash.page.locator("#alarm-text").get_attribute("role") == "alert"
    assert "périmé" in dash.page.evaluate("getComputedStyle(document.querySelector('#h-lock'), '::after').content") or (
        dash.page.locator("#h-lock").get_attribute("data-old") == "périmé"
    )
    if how == signal.SIGSTOP:
        filled.process.send_signal(signal.SIGCONT)
        dash.page.locator(UP).wait_for(timeout=8000)
        assert not dash.page.locator("#alarm").is_visible()


def test_it_comes_back_by_itself_and_nothing_is_missing(
    filled: Any, service: Start, environ: dict[str, str], visit: Open, alert: Make
) -> None:
    dash = visit(filled, "/dash")
    dash.shows("#feed", "SCALPER_EU")
    before = dash.page.locator("#feed li").count()
    filled.kill()
    dash.page.locator(DOWN).wait_for(timeout=5000)
    environ["LISTEN_PORT"] = filled.url.rsplit(":", 1)[1]
    again = service().start()
    for number in range(5):
        again.post(alert(engine="TV_TEST", reason=f"meanwhile {number}"))
    dash.page.locator(UP).wait_for(timeout=8000)
    for number in range(5):
        dash.shows("#feed", f"meanwhile {number}", 3)
    again.post(alert(engine="TV_TEST", reason="afterwards"))
    dash.shows("#feed", "afterwards", 2)
    ids = dash.page.locator("#feed li").evaluate_all("rows => rows.map((row) => Number(row.dataset.id))")
    assert ids == list(range(before + 6, 0, -1)), "newest first, each once"


def test_an_orderly_restart_is_no_alarm_for_long(
    filled: Any, service: Start, environ: dict[str, str], visit: Open
) -> None:
    dash = visit(filled, "/dash")
    begun = time.monotonic()
    filled.stop()
    assert time.monotonic() - begun < 3, "an open page does not hold the stop up"
    environ["LISTEN_PORT"] = filled.url.rsplit(":", 1)[1]
    service().start()
    dash.page.locator(UP).wait_for(timeout=8000)


def test_a_dead_ledger_is_said_while_the_feed_lives(filled: Any, visit: Open, alert: Make) -> None:
    dash = visit(filled, "/dash")
    dash.shows("#open", "SOLUSDT.P")
    filled.ledger.kill()
    filled.post(alert(engine="TV_TEST", reason="still here"))
    dash.shows("#feed", "still here", 2)
    dash.shows(".p-equity .note", "Le registre (perf) ne répond pas", 8)
    dash.shows(".p-equity .note", "Chiffres d'avant")
    assert dash.page.locator(UP).count() == 1
    dash.shows("#health", "perf")


def test_the_lock_is_reset_with_the_keyboard_alone(filled: Any, visit: Open) -> None:
    dash = visit(filled, "/dash")
    dash.shows("#lock", "USDTM_LONG")
    press = dash.page.keyboard.press
    press("Tab")
    assert focused(dash) == "skip"
    for _ in range(12):
        if focused(dash) == "reset":
            break
        press("Tab")
    assert focused(dash) == "reset"
    assert dash.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press("Enter")
    assert focused(dash) == "ops-key"
    dash.page.keyboard.type("not the key")
    press("Enter")
    dash.shows("#ops-error", "Clé opérateur refusée")
    assert focused(dash) == "ops-key"
    press("Control+a")
    dash.page.keyboard.type(OPS_KEY)
    press("Enter")
    dash.shows("#lock", "libre")
    assert not dash.page.locator("#ops").is_visible()
    assert focused(dash) == "reset", "the focus is back where it was"
    press("Enter")
    press("Escape")
    assert not dash.page.locator("#ops").is_visible()


def focused(dash: Watched) -> str:
    return str(dash.page.evaluate("document.activeElement.id || document.activeElement.className"))


def test_from_another_machine_the_ledgers_figures_need_the_operators_key(
    service: Start, environ: dict[str, str], visit: Open
) -> None:
    address = own_address()
    ledger = service("runtime.perf").start()
    environ |= {"PERF_URL": ledger.url, "LISTEN_HOST": "0.0.0.0"}  # noqa: S104
    running = service().start()
    seed.tell(running.url, seed.alerts(KEY), "/tv")
    running.url = running.url.replace("127.0.0.1", address)
    dash = visit(running, "/dash")
    dash.shows("#feed", "SCALPER_EU")
    dash.shows(".p-open .note", "ces chiffres demandent la clé opérateur")
    dash.page.locator(".p-open .note button").click()
    dash.page.locator("#ops-key").fill("wrong")
    dash.page.locator("#ops-go").click()
    dash.shows("#ops-error", "Clé opérateur refusée")
    dash.page.locator("#ops-key").fill(OPS_KEY)
    dash.page.locator("#ops-go").click()
    dash.shows("#open", "SOLUSDT.P")
    dash.page.locator(".p-open .note").wait_for(state="hidden")
    assert dash.misdeeds == []


def test_the_key_is_kept_nowhere(filled: Any, visit: Open) -> None:
    dash = visit(filled, "/dash")
    dash.page.locator("#reset").click()
    dash.page.locator("#ops-key").fill(OPS_KEY)
    dash.page.locator("#ops-go").click()
    dash.shows("#lock", "libre")
    kept = dash.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert OPS_KEY not in kept


def test_english_by_setting(filled: Any, service: Start, environ: dict[str, str], visit: Open) -> None:
    environ["UI_LANGUAGE"] = "en"
    dash = visit(service().start(), "/dash")
    assert dash.page.locator("html").get_attribute("lang") == "en"
    dash.shows("#lock", "held by")
    dash.shows("#h-feed", "Alerts")
    assert "Verrou" not in dash.text("body")


WIDTHS = (390, 768, 1440, 3840)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(filled: Any, visit: Open, alert: Make, width: int) -> None:
    filled.post(alert(symbol="X" * 64, tf="Y" * 32, reason="Z" * 300, trade_id="W" * 128))
    dash = visit(filled, "/dash", width=width, height=900)
    dash.shows("#open", "SOLUSDT.P")
    assert dash.page.evaluate("document.documentElement.scrollWidth") <= width
    outside = "nodes => nodes.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.id)"
    assert dash.page.locator(".panel, .tile, header, button, select").evaluate_all(outside) == []
    if width == 3840:
        used = dash.page.locator(".panel").evaluate_all(
            "nodes => Math.max(...nodes.map((one) => one.getBoundingClientRect().right))"
        )
        assert used > 3700, "the room is used"


def test_the_theme_is_the_machines_until_somebody_chooses(filled: Any, visit: Open) -> None:
    dash = visit(filled, "/dash", scheme="light")
    theme = "document.documentElement.dataset.theme"
    assert dash.page.evaluate(theme) == "light"
    dash.page.locator("#theme").click()
    assert dash.page.evaluate(theme) == "dark"
    dash.page.reload()
    assert dash.page.evaluate(theme) == "dark"


def test_ten_pages_are_each_current(filled: Any, visit: Open, alert: Make) -> None:
    dash = visit(filled, "/dash")
    others = [visit(filled, "/dash") for _ in range(9)]  # as ten browsers: one has six connections for a server
    filled.post(alert(engine="TV_TEST", reason="to all"))
    for one in (dash, *others):
        one.shows("#feed", "to all", 5)
