"""A fixed-fraction risk is sized as the webhook sizes it: `runtime.risk` is exact, the kernel must not differ."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quant.engine import Result
from runtime.payload import Invalid
from runtime.risk import Account, quote
from tests.quant.engine import kit

STEPS = st.sampled_from([1.0, 0.5, 0.1, 0.05, 0.01, 0.001, 1e-8])
RISKS = st.sampled_from([0.1, 0.5, 1.0, 1.25, 2.0, 7.5])
TICK = 0.01


def entered(equity: float, price: float, away: float, side: int, risk: float, instrument: dict[str, Any]) -> Result:
    bars = kit.candles([(price,) * 4] * 3)
    settings = kit.config(
        account={"equity": equity}, instrument=instrument | {"maintenance_margin": 0},
        sizing={"mode": "risk", "risk_pct": risk},
    )  # fmt: skip
    return kit.simulated(bars, kit.signals([side] * 3, stop=[away] * 3), settings)


@given(
    cents=st.integers(100, 10_000_000), ticks=st.integers(1, 100_000), equity=st.integers(100, 100_000_000),
    side=st.sampled_from([1, -1]), risk=RISKS, step=STEPS, least=st.sampled_from([0.0, 0.002, 1.0]),
    value=st.sampled_from([None, 1.0, 100.0, 0.001]), leverage=st.sampled_from([1.0, 3.0, 50.0, 1000.0]),
    told=st.booleans(),
)  # fmt: skip
def test_a_linear_quantity_is_the_webhook_s(
    cents: int, ticks: int, equity: int, side: int, risk: float, step: float, least: float, value: float | None,
    leverage: float, told: bool,
) -> None:  # fmt: skip
    assume(ticks < cents)
    price, stop = cents / 100, (cents - side * ticks) / 100
    tick = TICK if told else None
    instrument = {"qty_step": step, "min_qty": least, "contract_value": value, "max_leverage": leverage}
    account = Account(
        equity / 100, risk, qty_step=step, min_qty=least, contract_value=value, max_leverage=leverage, tick_size=tick
    )
    try:
        wanted = quote(account, price, stop).qty
    except Invalid:
        wanted = 0.0  # the stop is inside any spread
    result = entered(equity / 100, price, ticks / 100, side, risk, instrument | {"tick_size": tick})
    assert result.trades.quantity.tolist() == ([wanted] if wanted else [])
    assert result.refused == (not wanted)


@given(
    cents=st.integers(1_000, 10_000_000), part=st.floats(0.001, 0.5), side=st.sampled_from([1, -1]), risk=RISKS,
    value=st.sampled_from([None, 10.0, 100.0]),
)  # fmt: skip
def test_an_inverse_quantity_is_the_webhook_s_for_the_coins_worth_at_the_stop(
    cents: int, part: float, side: int, risk: float, value: float | None
) -> None:
    """An account in coins loses its part in coins; the webhook counts dollars, which the coins are at the stop."""
    price, coins = cents / 100, 5.0
    away = round(price * part, 2)
    stop = price - side * away
    account = Account(coins * stop, risk, qty_step=1e-9, contract="inverse", contract_value=value, max_leverage=None)
    instrument = {"contract": "inverse", "contract_value": value, "max_leverage": 1000}
    result = entered(coins, price, away, side, risk, instrument)
    assert result.trades.quantity[0] == pytest.approx(quote(account, price, stop).qty_raw, rel=1e-9)


@given(cents=st.integers(1_000, 10_000_000), part=st.floats(0.001, 0.2), side=st.sampled_from([1, -1]), risk=RISKS)
def test_a_stop_costs_what_was_risked(cents: int, part: float, side: int, risk: float) -> None:
    price = cents / 100
    bars = kit.candles([(price,) * 4] * 2 + [(price, price * 1.5, price * 0.5, price)] * 2)
    for contract in ("linear", "inverse"):
        settings = kit.config(
            instrument={"contract": contract, "max_leverage": 1000, "maintenance_margin": 0},
            sizing={"mode": "risk", "risk_pct": risk}, exits={"stop_pct": part * 100},
        )  # fmt: skip
        result = kit.simulated(bars, kit.signals([side] * 4), settings)
        assert result.trades.r[0] == pytest.approx(-1)
        assert result.equity[-1] == pytest.approx(10_000 * (1 - risk / 100))
