"""Live against backtest: the real ledger service, told what was traded, beside the run's own trades."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from quant import cli
from quant.live import __main__ as live
from quant.live.ledger import plain
from quant.live.trade import Trade, match
from quant.report import tables
from runtime import settings
from tests.pages.conftest import own_address
from tests.quant.test_backtest import backtested, home
from tests.runtime.conftest import environ, service

__all__ = ["environ", "home", "service"]

ENGINE = "MA_CROSS"


def compared(*words: str) -> int:
    return cli.main(live.parser(), live.run, ["one", *words])


@pytest.fixture
def trades(home: Path) -> list[dict[str, Any]]:
    assert backtested("--run-id", "one") == 0
    return list(tables.read_trades(home / "reports/one/trades.csv"))


def traded(trade: dict[str, Any], number: int, slip: float, late: int) -> list[dict[str, Any]]:
    """It was opened `late` ms later, at a price worse by `slip`, and closed at the backtest's."""
    way = 1 if trade["side"] == "long" else -1
    name = {"trade_id": f"t{number}", "engine": ENGINE, "symbol": "BTCUSDT.P"}
    opening = {"side": trade["side"].upper(), "entry": trade["entry"] + way * slip, "stop": trade["stop"], "qty": 1}
    return [
        {"type": "OPEN", "ts": trade["entry_time"] + late, **name, **opening},
        {"type": "CLOSE", "ts": trade["exit_time"] + late, **name, "exit": trade["exit"]},
    ]


@pytest.fixture
def ledger(service: Callable[[str], Any], trades: list[dict[str, Any]]) -> Any:
    """Knows the trades 3 to 9 without the 5th, and one that the backtest has not."""
    running = service("runtime.perf").start()
    events = [event for n in (3, 4, 6, 7, 8, 9) for event in traded(trades[n], n, slip=10.0, late=2000)]
    other = {"long": "short", "short": "long"}[trades[6]["side"]]
    stop = 29_000.0 if other == "long" else 31_000.0
    strange = trades[7] | {"entry_time": trades[6]["entry_time"] + 1000, "side": other, "entry": 30_000.0, "stop": stop}
    for event in [*events, *traded(strange, 99, slip=0.0, late=0)]:
        answer = httpx.post(running.url + "/perf/event", json=event)
        assert answer.status_code == 200, answer.text
    return running


def test_the_ledger_beside_the_backtest(
    ledger: Any, trades: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compared("--url", ledger.url, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["engine"], found["matched"], found["only_live"], found["only_backtest"]) == (ENGINE, 6, 1, 1)
    assert found["late_seconds"] == 2
    first = found["trades"][0]
    way = 1 if first["live"]["side"] == "long" else -1
    assert first["entry_difference"] == pytest.approx(way * 10)
    assert first["cost"] == pytest.approx(10 / trades[3]["entry"])
    assert first["R_difference"] == pytest.approx(first["live"]["R"] - trades[3]["r"])
    assert [row["live"]["trade_id"] for row in found["trades"] if row["backtest"] is None] == ["t99"]
    assert [row["backtest"]["opened"] for row in found["trades"] if row["live"] is None] == [
        tables.stamp(trades[5]["entry_time"])
    ]
    assert compared("--url", ledger.url) == 0
    told = capsys.readouterr().out
    assert "MA_CROSS live, beside one" in told and "only live" in told


def test_its_export_does_as_well(ledger: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    compared("--url", ledger.url, "--json")
    by_http = capsys.readouterr().out
    file = tmp_path / "ledger.csv"
    file.write_bytes(httpx.get(ledger.url + "/perf/export?format=csv").content)
    assert compared("--ledger", str(file), "--engine", ENGINE.lower(), "--json") == 0
    assert json.loads(capsys.readouterr().out)["trades"] == json.loads(by_http)["trades"]


def test_the_token_is_sent(
    service: Callable[[str], Any], environ: dict[str, str], trades: object, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    environ["LISTEN_HOST"] = "0.0.0.0"  # noqa: S104
    running = service("runtime.perf").start()
    far = running.url.replace("127.0.0.1", own_address())
    monkeypatch.setattr(settings, "environment", lambda: {})
    assert compared("--url", far) == 1
    assert "give the service's token as PERF_TOKEN" in capsys.readouterr().err
    monkeypatch.setattr(settings, "environment", lambda: {"PERF_TOKEN": environ["PERF_TOKEN"]})
    assert compared("--url", far) == 1
    assert "the ledger has no closed trade of MA_CROSS" in capsys.readouterr().err


def test_what_cannot_be_compared_is_told(trades: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    for words, told in (
        (["--url", "http://127.0.0.1:9"], "cannot be asked"),
        (["--url", "ftp://x"], "is not an address"),
        (["--ledger", str(other)], "no export of the ledger"),
        (["--ledger", str(tmp_path / "none.csv")], "cannot be read"),
    ):
        assert compared(*words) in (1, 2)
        assert told in capsys.readouterr().err


@pytest.mark.parametrize("name", ["BTC/USDT:USDT", "BTC/USDT", "BTCUSDT.P", "BTCUSDT", "BINANCE:BTCUSDT.P", "btc-usdt"])
def test_a_market_has_many_names(name: str) -> None:
    assert plain(name) == "BTCUSDT"


def test_the_nearest_two_belong_together_and_each_trade_once() -> None:
    def at(opened: int, side: str = "long") -> Trade:
        return Trade(side, opened, opened + 100, 1.0, 1.0, math.nan)

    found = match([at(100), at(160)], [at(150), at(100, "short"), at(90)], within=60)
    assert [(pair.live.opened, pair.tested.opened) for pair in found.pairs] == [(100, 90), (160, 150)]
    assert [one.side for one in found.only_tested] == ["short"]
    assert match([at(0)], [at(61)], within=60).pairs == []
