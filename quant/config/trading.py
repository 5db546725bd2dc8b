"""What is traded how: the strategy, the account, sizes, and ways out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from quant.config.base import Section
from quant.config.market import Positive
from quant.strategy import Direction, Value


class StrategyChoice(Section):
    """One of quant/strategies, and its parameters; what is left out has its default. `direction` narrows its own."""

    name: str = "ma_cross"
    params: dict[str, Value] = Field(default_factory=dict)
    direction: Direction = "both"


class Account(Section):
    """In the quote currency; for inverse contracts in the coin."""

    equity: Positive = 10_000.0


class Sizing(Section):
    """How large a position is when it is opened; it is held unchanged until it is closed.

    `fraction`: its value is `fraction` of the equity. `risk`: it loses `risk_pct` of the equity at its stop (below 0.1
    a fraction, from there percent, as the webhook has it). `volatility`: its value is the equity times `volatility` (a
    year's) over what the last `lookback` bars show. `quantity`: always that much. All are held to the instrument's
    leverage, then rounded down to its step.
    """

    mode: Literal["fraction", "risk", "volatility", "quantity"] = "fraction"
    fraction: float = Field(default=1.0, gt=0, le=1000)
    risk_pct: float = Field(default=1.0, gt=0, le=20)
    volatility: float = Field(default=0.2, gt=0, le=10)
    lookback: int = Field(default=96, ge=2)
    quantity: Positive | None = None

    @model_validator(mode="after")
    def _quantity_is_told(self) -> Sizing:
        if self.mode == "quantity" and self.quantity is None:
            raise ValueError("mode quantity needs a quantity")
        return self


class Exits(Section):
    """Ways out beside the strategy's own. At most one kind of stop, of target and of trailing stop.

    `*_atr`: multiples of the average true range over `atr` bars when the signal came; `*_pct`: percent of the fill
    price; `target_r`: multiples of the stop's distance. They replace what the strategy itself asks for.
    """

    atr: int = Field(default=14, ge=1)
    stop_atr: Positive | None = None
    stop_pct: float | None = Field(default=None, gt=0, lt=100)
    target_atr: Positive | None = None
    target_pct: float | None = Field(default=None, gt=0)
    target_r: Positive | None = None
    trailing_atr: Positive | None = None
    trailing_pct: float | None = Field(default=None, gt=0, lt=100)

    @model_validator(mode="after")
    def _one_of_each(self) -> Exits:
        for kind in ("stop", "target", "trailing"):
            given = [f"{kind}_{by}" for by in ("atr", "pct", "r") if getattr(self, f"{kind}_{by}", None) is not None]
            if len(given) > 1:
                raise ValueError(f"{' and '.join(given)} cannot both be: keep one")
        return self
