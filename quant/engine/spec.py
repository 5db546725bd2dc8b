"""What a simulation goes by: config.yaml's numbers in the form that the kernel takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quant.candles import F64, Candles
from quant.config import Config
from quant.config.trading import Sizing
from quant.engine.records import layout
from quant.engine.volatility import volatility
from quant.indicators import View
from runtime.risk import NEAREST, percent

FRACTION, RISK, VOLATILITY, QUANTITY = range(4)
MODES = {"fraction": FRACTION, "risk": RISK, "volatility": VOLATILITY, "quantity": QUANTITY}
NOTHING: F64 = np.zeros(0)
NOTHING.flags.writeable = False


class Rules(NamedTuple):
    """Numbers of one simulation; 0 is "none" wherever nothing else is said.

    `unit`: what one of the quantity is, in units of the underlying (linear) or USD (inverse; 0: coins at the entry
    price). `slip`: of the price, `slip_price`: in prices. `tick`: stops and targets are whole multiples of it.
    `amount`: the fraction, the risked part of the equity, the year's volatility or the quantity, by `mode`. `nearest`:
    a stop nearer than this part of the price cannot be sized by, `nearest_price`: than this, in prices.
    """

    inverse: bool
    unit: float
    tick: float
    taker: float
    maker: float
    slip: float
    slip_price: float
    mode: int
    amount: float
    max_leverage: float
    maintenance: float
    qty_step: float
    min_qty: float
    min_notional: float
    nearest: float
    nearest_price: float
    stop_atr: float
    stop_part: float
    target_atr: float
    target_part: float
    target_r: float
    trailing_atr: float
    trailing_part: float


RULES = layout(Rules)


@dataclass(frozen=True)
class Spec:
    """`atr` (prices) and `volatility` (a year's, as a fraction) at each bar, shape (n,); empty where not needed."""

    initial: float
    rules: Rules
    atr: F64
    volatility: F64

    @classmethod
    def of(cls, config: Config, candles: Candles, tick_size: float, view: View | None = None) -> Spec:
        """`tick_size`: of the prices, for slippage in ticks. `view` keeps what was worked out for another Spec."""
        view = view or View(candles, tick_size)
        by_atr = any((config.exits.stop_atr, config.exits.target_atr, config.exits.trailing_atr))
        by_volatility = config.sizing.mode == "volatility"
        return cls(
            initial=config.account.equity,
            rules=_rules(config, tick_size),
            atr=view.atr(config.exits.atr) if by_atr else NOTHING,
            volatility=volatility(view, config.sizing.lookback) if by_volatility else NOTHING,
        )


def _rules(config: Config, tick_size: float) -> Rules:
    instrument, costs, exits = config.instrument, config.costs, config.exits
    inverse = instrument.contract == "inverse"
    maker = costs.taker_fee if costs.maker_fee is None else costs.maker_fee
    return Rules(
        inverse=inverse,
        unit=float(instrument.contract_value or (0 if inverse else 1)),
        tick=float(instrument.tick_size or 0),
        taker=float(costs.taker_fee),
        maker=float(maker),
        slip=float(costs.slippage),
        slip_price=float(costs.slippage_ticks * tick_size),
        mode=MODES[config.sizing.mode],
        amount=_amount(config.sizing),
        max_leverage=float(instrument.max_leverage),
        maintenance=float(instrument.maintenance_margin),
        qty_step=float(instrument.qty_step),
        min_qty=float(instrument.min_qty),
        min_notional=float(instrument.min_notional),
        nearest=0.0 if instrument.tick_size else float(NEAREST),
        nearest_price=float(instrument.tick_size or 0),
        stop_atr=float(exits.stop_atr or 0),
        stop_part=float(exits.stop_pct or 0) / 100,
        target_atr=float(exits.target_atr or 0),
        target_part=float(exits.target_pct or 0) / 100,
        target_r=float(exits.target_r or 0),
        trailing_atr=float(exits.trailing_atr or 0),
        trailing_part=float(exits.trailing_pct or 0) / 100,
    )


def _amount(sizing: Sizing) -> float:
    """Below 0.1 a risk is a fraction, from there percent: the webhook's reading of it."""
    if sizing.mode == "risk":
        return percent(sizing.risk_pct) / 100
    return float({"fraction": sizing.fraction, "volatility": sizing.volatility}.get(sizing.mode, sizing.quantity or 0))
