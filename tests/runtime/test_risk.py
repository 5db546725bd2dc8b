"""Risk: the log book's figures, the two kinds of contract, and that rounding never risks more than was wanted."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runtime import risk
from runtime.engines import DEFAULTS
from runtime.payload import Invalid
from runtime.risk import Account, Position, pnl, position, quote

COINM, USDTM, GOLD = (engine.account for engine in DEFAULTS)
assert COINM and USDTM and GOLD


def test_the_log_books_gold_trade() -> None:
    found = quote(GOLD, 2000, 1995, 2010)
    assert (found.side, found.risk_usd, found.distance, found.qty) == ("LONG", 15, 5, 3)
    assert (found.risk_real_usd, found.notional, found.leverage, found.rr) == (15, 6000, 4, 2)
    assert "15 USD" in found.explain


def test_the_log_books_short() -> None:
    found = quote(COINM, 68_000, 69_000, 67_000)
    assert (found.side, found.risk_usd, found.qty, found.risk_real_usd, found.rr) == ("SHORT", 60, 0.06, 60, 1)


@pytest.mark.parametrize(
    ("given", "percent"), [(0.01, 1), (1, 1), (0.005, 0.5), (0.5, 0.5), (2, 2), (0.02, 2), (0.07, 7)]
)
def test_a_risk_is_a_fraction_or_percent(given: float, percent: float) -> None:
    assert risk.percent(given) == percent


def test_inverse_contracts_are_counted_in_dollars_and_paid_in_coin() -> None:
    account = Account(6000, 1, 1, 1, "inverse", contract_value=100)
    found = quote(account, 50_000, 51_000, 45_000)
    assert (found.qty, found.notional, found.size) == (30, 3000, 0.06)
    lost = pnl(account, "SHORT", 50_000, 51_000, found.qty)
    assert (lost.usd, lost.coin) == (-60, pytest.approx(3000 * (1 / 51_000 - 1 / 50_000)))
    assert pnl(account, "LONG", 50_000, 51_000, 30).coin == pytest.approx(3000 * (1 / 50_000 - 1 / 51_000))


def test_a_linear_lot_may_hold_many_units() -> None:
    found = quote(Account(100_000, 1, 0.01, 0.01, contract_value=100), 2000, 1995)
    assert (found.qty, found.size, found.rr) == (2, 200, None)
    assert pnl(GOLD, "LONG", 2000, 2000.7, 1) == risk.Pnl(0.7, None)


def test_the_leverage_cap_holds_the_size() -> None:
    found = quote(Account(1000, 1, 0.1, max_leverage=5), 2000, 1999)
    assert (found.qty, found.leverage, found.margin) == (2.5, 5, 1000)
    assert "held to 5 times" in found.warnings[0]


def test_what_is_too_small_is_not_sized_rather_than_rounded_up() -> None:
    found = quote(Account(100, 1, 0.1, 1), 2000, 1990)
    assert (found.qty, found.risk_real_usd, found.risk_usd) == (0, 0, 1)
    assert "smallest quantity 1" in found.warnings[0]


NAN = float("nan")


@pytest.mark.parametrize(
    ("price", "sl", "tp", "side", "field"),
    [(0, 1, 0, None, "price"), (-5, 1, 0, None, "price"), (NAN, 1, 0, None, "price"), (1e300, 1, 0, None, "price"),
     (2000, 0, 0, None, "sl"), (2000, 2000, 0, None, "sl"), (2000, 2000 - 1e-9, 0, None, "sl"),
     (2000, 1995, 0, "SHORT", "sl"), (2000, 1995, 1999, None, "tp"), (2000, 2005, 2010, None, "tp"),
     (2000, 1995, NAN, None, "tp"), (2000, 1995, -1, None, "tp"), (True, 1, 0, None, "price")],
)  # fmt: skip
def test_nonsense_is_refused_by_its_field(price: float, sl: float, tp: float, side: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        quote(GOLD, price, sl, tp, side=side)
    assert caught.value.field == field


def test_a_stop_must_be_some_ticks_away() -> None:
    account = Account(1500, 1, 0.1, tick_size=0.01, min_stop_ticks=10)
    assert quote(account, 2000, 1999.9).qty > 0
    with pytest.raises(Invalid, match=r"at least 0\.1"):
        quote(account, 2000, 1999.91)


@pytest.mark.parametrize(
    ("field", "value"),
    [("equity", 0), ("equity", NAN), ("equity", True), ("risk_pct", 50), ("risk_pct", -1), ("qty_step", 0),
     ("min_qty", -1), ("contract", "cfd"), ("contract_value", 0), ("max_leverage", -3), ("tick_size", 0)],
)  # fmt: skip
def test_an_account_is_refused_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        Account(**{"equity": 1500, "risk_pct": 1, "qty_step": 0.1, field: value})
    assert caught.value.field == field


_accounts = st.builds(
    Account,
    equity=st.floats(1, 1e7),
    risk_pct=st.floats(0.01, 20),
    qty_step=st.sampled_from([0.001, 0.1, 1, 0.3, 1e-8]),
    min_qty=st.sampled_from([0, 0.1, 5]),
    contract=st.sampled_from(["linear", "inverse"]),
    contract_value=st.none() | st.sampled_from([1.0, 10.0, 100.0]),
    max_leverage=st.none() | st.floats(0.5, 125),
)


def _written(value: float) -> Fraction:
    return Fraction(Decimal(repr(value)))


@given(account=_accounts, price=st.floats(0.01, 1e6), away=st.floats(-0.9, 0.9))
def test_a_size_never_risks_more_than_wanted(account: Account, price: float, away: float) -> None:
    sl = price * (1 + away)
    assume(abs(sl - price) > price * 2e-5)
    found = quote(account, price, sl)
    same = [getattr(found, name) for name in ("side", "qty", "size", "risk_usd", "risk_real_usd")]
    assert position(account, price, sl) == Position(*same)
    assert 0 <= found.risk_real_usd <= found.risk_usd
    assert 0 <= found.qty <= found.qty_raw
    assert found.qty == 0 or found.qty >= account.min_qty
    assert _written(found.qty) % _written(account.qty_step) == 0 or found.qty > 1e6
    assert account.max_leverage is None or found.leverage <= account.max_leverage
    if found.qty:
        lost = pnl(account, found.side, price, sl, found.qty)
        assert -lost.usd == pytest.approx(found.risk_real_usd)


@given(account=_accounts, price=st.floats(0.01, 1e6), away=st.floats(0.001, 0.9))
def test_every_figure_is_the_nearest_to_the_exact_one(account: Account, price: float, away: float) -> None:
    sl, tp = price * (1 - away), price * (1 + away)
    entry, distance, equity = _written(price), _written(price) - _written(sl), _written(account.equity)
    value = _written(account.contract_value) if account.contract_value else None
    per_unit = Fraction(1) if value is None else value / entry if account.contract == "inverse" else value
    wanted = equity * _written(account.risk_pct) / 100
    raw = wanted / (distance * per_unit)
    most = raw if account.max_leverage is None else equity * _written(account.max_leverage) / (entry * per_unit)
    qty = min(raw, most) // _written(account.qty_step) * _written(account.qty_step)
    qty = qty if qty >= _written(account.min_qty) else Fraction(0)
    found = quote(account, price, sl, tp)
    assert (found.risk_usd, found.qty_raw, found.qty) == (float(wanted), float(raw), float(qty))
    assert (found.size, found.risk_real_usd) == (float(qty * per_unit), float(qty * per_unit * distance))
    assert found.leverage == float(qty * per_unit * entry / equity)
    assert found.rr == float((_written(tp) - entry) / distance)


@given(account=_accounts, entry=st.floats(0.1, 1e6), end=st.floats(0.1, 1e6), qty=st.floats(0.001, 1e6))
def test_what_one_side_wins_the_other_loses(account: Account, entry: float, end: float, qty: float) -> None:
    long, short = pnl(account, "LONG", entry, end, qty), pnl(account, "SHORT", entry, end, qty)
    assert long.usd == -short.usd
    assert (long.usd > 0) == (end > entry)
