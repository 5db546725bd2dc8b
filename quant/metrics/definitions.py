"""What each figure is, in words and as a formula: what metrics.json holds, in its order, and what the report tells."""

from __future__ import annotations

HEADLINE = ("Sharpe", "Sortino", "CAGR", "MDD", "Calmar", "PF", "Expectancy", "R", "Exposure")
COUNTS = frozenset({"trades", "bars"})
_PERCENT = frozenset({"CAGR", "MDD", "Exposure", "volatility", "total_return", "win_rate"})
_CHANCES = ("PSR", "DSR", "good_windows", "mc_")
"""What names of probabilities, and of what Monte Carlo gives, begin with (quant.luck, quant.walk)."""

DEFINITIONS = {
    "Sharpe": "mean(r) / std(r, ddof=1) · √P, with r the returns of all bars, P bars a year around the clock, "
    "risk-free rate 0.",
    "Sortino": "mean(r) · √P / √(Σ min(r, 0)² / n), over all n bars.",
    "CAGR": "(E_end / E_start)^(P / n) − 1: growth a year, E_start the initial equity.",
    "MDD": "min(E / highest E so far − 1): the deepest fall from a peak; the initial equity counts as one.",
    "Calmar": "CAGR / |MDD|.",
    "PF": "Profit factor: Σ profits / |Σ losses| of closed trades, in money, after costs.",
    "Expectancy": "Mean profit of a closed trade, in the account's currency, after costs.",
    "R": "Mean of profit / (|entry − stop| · quantity), over the trades that had a stop.",
    "Exposure": "Share of bars at whose close a position was held.",
    "volatility": "std(r, ddof=1) · √P: of a year.",
    "total_return": "E_end / E_start − 1.",
    "final_equity": "E_end, in the account's currency.",
    "longest_drawdown": "Days of bars from a peak until it was reached again, or until the end: the longest.",
    "trades": "Closed trades; one still open at the end is closed at the last close.",
    "win_rate": "Trades with a profit above 0, after costs, over all trades.",
    "average_win": "Mean profit of the trades that won.",
    "average_loss": "Mean profit of the trades that lost: below 0.",
    "best_trade": "The largest profit of one trade.",
    "worst_trade": "The smallest.",
    "holding": "Mean days of bars from a trade's entry to its exit.",
    "fees": "Σ fees paid, in the account's currency.",
    "funding": "Σ funding received less funding paid, as far as rates were stored.",
    "bars": "Bars that were simulated.",
    "days": "From the first bar's open to the last one's close.",
}
"""Fractions are of 1 (0.1 is 10 %); null in metrics.json where there is none: no trade, no loss, no change."""


def is_fraction(name: str) -> bool:
    """Whether a person reads it in percent."""
    return name in _PERCENT or name.startswith(_CHANCES)
