"""Asking many questions: sweeps, walk-forward, Monte Carlo."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from quant.config.base import Section
from quant.strategy import Value


class Range(Section):
    """`from`, `from + step`, ... up to and with `to`."""

    start: float = Field(alias="from")
    to: float
    step: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _rises(self) -> Range:
        if self.to < self.start:
            raise ValueError(f"to {self.to:g} is below from {self.start:g}")
        return self

    def values(self) -> tuple[Value, ...]:
        """Whole numbers stay whole."""
        count = int((self.to - self.start) / self.step + 1e-9) + 1
        found = [self.start + index * self.step for index in range(count)]
        return tuple(int(value) if value == int(value) else value for value in found)


Axis = Annotated[list[Value], Field(min_length=1)] | Range


class Sweep(Section):
    """`space`: values for a parameter's name, or for a setting by its path (`exits.stop_atr`); empty: the strategy's
    own.

    `trials` is for random and optuna. Results with fewer than `min_trades`, or over less than `min_days`, are in
    summary_all.csv only.
    """

    method: Literal["grid", "random", "optuna"] = "grid"
    space: dict[str, Axis] = Field(default_factory=dict)
    trials: int = Field(default=200, ge=1)
    objective: str = "Sharpe"
    min_trades: int = Field(default=30, ge=0)
    min_days: float = Field(default=180, ge=0)


class WalkForward(Section):
    """Windows in days: choose by `Sweep` on `train`, trade the choice on the `test` that follows."""

    mode: Literal["anchored", "rolling"] = "rolling"
    train_days: float = Field(default=365, gt=0)
    test_days: float = Field(default=90, gt=0)


class MonteCarlo(Section):
    """`runs` reorderings (or draws with replacement) of the trades."""

    runs: int = Field(default=1000, ge=1, le=1_000_000)
    method: Literal["shuffle", "bootstrap"] = "bootstrap"
