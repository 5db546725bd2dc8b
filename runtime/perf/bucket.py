"""The running figures of a group of trades: of an engine, a symbol, a session, or of all. Pure, and flat in memory."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from runtime.payload import Json
from runtime.perf.arithmetic import MILLION
from runtime.perf.curve import Curve

# Bins of half an R; the first and the last are open-ended.
EDGES = tuple(step / 2 for step in range(-6, 11))
ROLLING = 30


@dataclass(frozen=True, slots=True)
class Finished:
    """A closed trade. Money in the account's currency; `r` None: risk unknown. MAE and MFE None: no mark was seen."""

    pnl: float
    r: float | None
    mae: float | None = None
    mfe: float | None = None
    risk: float | None = None


@dataclass
class Excursions:
    """MAE or MFE of some trades, in money and, where the risk is known, in R."""

    trades: int = 0
    money: float = 0.0
    known: int = 0
    r: float = 0.0
    worst: float = 0.0

    def add(self, money: float, risk: float | None) -> None:
        self.trades += 1
        self.money += money
        if risk:
            self.known += 1
            self.r += money / risk
            self.worst = max(self.worst, money / risk)

    def figures(self) -> Json:
        """`trades` with marks, their mean in money (`avg`) and in R (`avg_r`), and the largest in R (`max_r`)."""
        largest = self.worst if self.known else None
        return {
            "trades": self.trades,
            "avg": _ratio(self.money, self.trades),
            "avg_r": _ratio(self.r, self.known),
            "max_r": largest,
        }


@dataclass
class Bucket:
    """Counts and sums. A win has a PnL above 0, a loss one below 0; a trade at exactly 0 is neither."""

    curve: Curve
    total: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    won: float = 0.0
    lost: float = 0.0
    known: int = 0
    r: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    recent: list[float] = field(default_factory=list)
    mae_winners: Excursions = field(default_factory=Excursions)
    mfe_losers: Excursions = field(default_factory=Excursions)
    at_risk: int = 0  # what open trades stand to lose, see `arithmetic.open_risk`

    def finish(self, trade: Finished) -> None:
        """One trade has closed entirely. What it realised went to the curve, part by part."""
        self.closed += 1
        if trade.pnl > 0:
            self._win(trade)
        elif trade.pnl < 0:
            self._lose(trade)
        if trade.r is not None:
            self._multiple(trade.r)

    def dump(self) -> str:
        """As JSON; floats come back from it bit by bit the same."""
        return json.dumps(vars(self), default=vars, separators=(",", ":"))

    def _win(self, trade: Finished) -> None:
        self.wins += 1
        self.won += trade.pnl
        if trade.mae is not None:
            self.mae_winners.add(trade.mae, trade.risk)

    def _lose(self, trade: Finished) -> None:
        self.losses += 1
        self.lost += trade.pnl
        if trade.mfe is not None:
            self.mfe_losers.add(trade.mfe, trade.risk)

    def _multiple(self, r: float) -> None:
        self.known += 1
        self.r += r
        self.bins[bisect_right(EDGES, r)] += 1
        self.recent = [*self.recent, r][-ROLLING:]


def load(body: str) -> Bucket:
    """The reverse of `Bucket.dump`."""
    kept: dict[str, Any] = json.loads(body)
    kept["curve"] = Curve(**kept["curve"])
    for name in ("mae_winners", "mfe_losers"):
        kept[name] = Excursions(**kept[name])
    return Bucket(**kept)


def open_risk(bucket: Bucket) -> float:
    """What open trades still stand to lose, in money: each one's risk by the share of it that is open."""
    return bucket.at_risk / MILLION


def winrate(bucket: Bucket) -> float | None:
    """Percent of the closed trades that won: 100 * wins / closed. Null before the first."""
    return _ratio(100.0 * bucket.wins, bucket.closed)


def average_r(bucket: Bucket) -> float | None:
    """Mean R multiple (PnL / initial risk) of the closed trades whose risk is known. Null before the first."""
    return _ratio(bucket.r, bucket.known)


def average_win(bucket: Bucket) -> float | None:
    """Mean PnL of the winners, in money."""
    return _ratio(bucket.won, bucket.wins)


def average_loss(bucket: Bucket) -> float | None:
    """Mean PnL of the losers, in money: below 0."""
    return _ratio(bucket.lost, bucket.losses)


def payoff(bucket: Bucket) -> float | None:
    """Mean win over the size of the mean loss. Null without a win or without a loss."""
    win, loss = average_win(bucket), average_loss(bucket)
    return None if win is None or not loss else win / -loss


def profit_factor(bucket: Bucket) -> float | None:
    """Sum of the winners' PnL over the size of the sum of the losers'. Null without a loss."""
    return _ratio(bucket.won, -bucket.lost)


def expectancy(bucket: Bucket) -> float | None:
    """Mean PnL of a closed trade, in money: (won + lost) / closed. Null before the first."""
    return _ratio(bucket.won + bucket.lost, bucket.closed)


def rolling(bucket: Bucket) -> Json:
    """Expectancy in R over the last 30 closed trades of known risk, and how many there are yet (`trades`)."""
    return {"trades": len(bucket.recent), "expectancy_r": _ratio(sum(bucket.recent), len(bucket.recent))}


def histogram(bucket: Bucket) -> list[Json]:
    """Closed trades by R, in bins of 0.5 R: `from` <= R < `to`; the outer two are open (null)."""
    bounds = [None, *EDGES, None]
    return [{"from": bounds[i], "to": bounds[i + 1], "trades": count} for i, count in enumerate(bucket.bins)]


def figures(bucket: Bucket) -> Json:
    """Every KPI of the group; each is defined where it is computed."""
    return {
        "total": bucket.total,
        "closed": bucket.closed,
        "wins": bucket.wins,
        "losses": bucket.losses,
        "pnl": bucket.curve.total,
        "winrate_pct": winrate(bucket),
        "expectancy_r": average_r(bucket),
        "expectancy": expectancy(bucket),
        "avg_win": average_win(bucket),
        "avg_loss": average_loss(bucket),
        "payoff": payoff(bucket),
        "profit_factor": profit_factor(bucket),
        "rolling": rolling(bucket),
        "r_histogram": histogram(bucket),
        "mae_winners": bucket.mae_winners.figures(),
        "mfe_losers": bucket.mfe_losers.figures(),
        "drawdown": bucket.curve.drawdown(),
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
