"""From config.yaml to a Result, and what is refused on the way, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quant import strategies
from quant.candles import Candles
from quant.engine import Scratch, run, running
from quant.errors import BadData, QuantError, StrategyFailed, UsageError
from quant.indicators import View
from quant.strategy import Parameter, Signals, Strategy
from tests.quant.engine import kit

WORDS = (Parameter("length", 10, (10, 20), "bars", least=2), Parameter("kind", "sma", ("sma", "ema"), "which average"))


@pytest.fixture
def bars() -> Candles:
    random = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.005, 3000))), 2)
    opens = np.concatenate(([100.0], close[:-1]))
    return kit.candles(np.column_stack((opens, np.maximum(opens, close), np.minimum(opens, close), close)).tolist())


def strategy(signals: Any, **more: Any) -> Strategy:
    return Strategy("mine", "for tests", WORDS, signals, lambda params: int(params["length"]), **more)


def use(monkeypatch: pytest.MonkeyPatch, found: Strategy) -> None:
    monkeypatch.setattr(strategies, "get", lambda _: found)


def refused(bars: Candles, kind: type[QuantError], **sections: Any) -> str:
    with pytest.raises(kind) as caught:
        run(kit.config(**sections), bars)
    return str(caught.value)


def test_one_config_and_candles_give_one_result(bars: Candles) -> None:
    config = kit.config(strategy={"params": {"fast": 5, "slow": 40}})
    result = run(config, bars)
    assert len(result.trades) > 50
    assert result.trades.pnl.sum() == pytest.approx(result.equity[-1] - result.initial)
    view, scratch = View(bars, 0.01), Scratch(len(bars))
    assert run(config, bars, view=view, scratch=scratch).equity.tobytes() == result.equity.tobytes()


def test_a_direction_leaves_the_other_one_flat(bars: Candles) -> None:
    for direction, side in (("long", 1), ("short", -1)):
        result = run(kit.config(strategy={"direction": direction}), bars)
        assert set(result.trades.side) == {side}


def test_a_strategy_s_own_direction_is_kept(bars: Candles, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, strategy(lambda view, _: Signals(view.averages_side(5, 20)), direction="long"))
    assert set(run(kit.config(), bars).trades.side) == {1}
    assert "only goes long" in refused(bars, UsageError, strategy={"direction": "short"})


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"fst": 5}, "no parameter fst"),
        ({"fast": 5.5}, "expected a whole number"),
        ({"fast": "five"}, "expected a whole number"),
        ({"fast": 0}, "at least 1"),
        ({"fast": 50, "slow": 20}, "fast must be below slow"),
    ],
)
def test_parameters_that_cannot_be_are_refused(bars: Candles, params: dict[str, Any], words: str) -> None:
    assert words in refused(bars, UsageError, strategy={"params": params})


def test_a_word_for_a_word(bars: Candles, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, strategy(lambda view, _: Signals(view.averages_side(5, 20))))
    assert "kind is 3" in refused(bars, UsageError, strategy={"params": {"kind": 3}})


def test_too_few_bars(bars: Candles) -> None:
    with pytest.raises(BadData, match="needs 102"):
        run(kit.config(), bars.part(0, 101))


def test_a_risk_that_no_stop_limits_is_refused(bars: Candles) -> None:
    assert "exits.stop_atr" in refused(bars, UsageError, sizing={"mode": "risk"})


def test_leverage_that_would_be_liquidated_at_once_is_refused(bars: Candles) -> None:
    words = refused(bars, UsageError, instrument={"max_leverage": 300, "maintenance_margin": 0.005})
    assert "at most 200" in words


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda n: Signals(np.zeros(n - 1, np.int8)), "side is int8 of shape (2999,)"),
        (lambda n: Signals(np.zeros(n)), "side is float64"),  # type: ignore[arg-type]
        (lambda n: Signals(np.full(n, 2, np.int8)), "side has 2 to 2"),
        (lambda n: Signals(np.ones(n, np.int8), stop=np.zeros(3)), "stop is float64 of shape (3,)"),
        (lambda n: Signals(np.ones(n, np.int8), stop=np.zeros(n)), "a stop or target 0 away"),
        (lambda n: Signals(np.ones(n, np.int8), target=np.full(n, -1.0)), "a stop or target -1 away"),
        (lambda n: None, "signals are NoneType"),
        (lambda n: [][n], "IndexError"),
    ],
)
def test_what_a_strategy_gives_is_checked(
    bars: Candles, monkeypatch: pytest.MonkeyPatch, made: Any, words: str
) -> None:
    use(monkeypatch, strategy(lambda view, _: made(len(view.candles))))
    assert words in refused(bars, StrategyFailed)


def test_candles_that_cannot_be_are_refused(bars: Candles) -> None:
    for name, value in (("close", np.nan), ("low", 0.0), ("high", np.inf), ("open", 1e6)):
        columns = {column: np.array(getattr(bars, column)) for column in ("open", "high", "low", "close")}
        columns[name][1234] = value
        broken = Candles("test", "TEST/USDT", kit.QUARTER, bars.time, **columns, volume=bars.volume)
        assert "bar 1234" in refused(broken, BadData)


def test_a_size_beyond_anything_is_refused(bars: Candles) -> None:
    words = refused(
        bars, UsageError, account={"equity": 1e15}, sizing={"mode": "fraction", "fraction": 1000},
        instrument={"max_leverage": 1000, "maintenance_margin": 0},
    )  # fmt: skip
    assert "units was asked for on 1970-01-" in words


def test_slippage_beyond_the_price_is_refused(bars: Candles) -> None:
    words = refused(bars, UsageError, costs={"slippage_ticks": 1000}, instrument={"tick_size": 1})
    assert "slippage" in words


def test_a_scratch_that_is_too_small_is_a_mistake_of_ours(bars: Candles) -> None:
    with pytest.raises(ValueError, match="scratch for 10 bars"):
        run(kit.config(), bars, scratch=Scratch(10))


def test_direction_and_signals_are_left_as_they_were(bars: Candles) -> None:
    signals = Signals(np.array([1, -1, 0], np.int8))
    assert running.narrowed(signals, "long").side.tolist() == [1, 0, 0]
    assert running.narrowed(signals, "short").side.tolist() == [0, -1, 0]
    assert signals.side.tolist() == [1, -1, 0]
