"""What the peers say of curves and trades: JSON [{equity, initial, periods, trades}] in, their figures by peer out."""

import json
import sys

import empyrical
import numpy as np
import pandas as pd
import quantstats.stats as qs
import vectorbt  # noqa: F401 - registers Series.vbt
from backtesting._stats import compute_stats


def by_quantstats(r, periods):
    return {
        "Sharpe": qs.sharpe(r, periods=periods),
        "Sortino": qs.sortino(r, periods=periods),
        "CAGR": qs.cagr(r, periods=periods),
        "volatility": qs.volatility(r, periods=periods),
        "MDD": qs.max_drawdown(r),
        "Calmar": qs.calmar(r, periods=periods),
        "PF": qs.profit_factor(r),
        "Exposure": qs.exposure(r),
        "total_return": qs.comp(r),
        "Sharpe_unless_told": qs.sharpe(r),
    }


def by_empyrical(r, periods):
    return {
        "Sharpe": empyrical.sharpe_ratio(r, annualization=periods),
        "Sortino": empyrical.sortino_ratio(r, annualization=periods),
        "CAGR": empyrical.cagr(r, annualization=periods),
        "volatility": empyrical.annual_volatility(r, annualization=periods),
        "MDD": empyrical.max_drawdown(r),
        "Calmar": empyrical.calmar_ratio(r, annualization=periods),
        "total_return": empyrical.cum_returns_final(r),
    }


def by_vectorbt(r, periods):
    found = r.vbt.returns(freq="15min", year_freq="365 days")
    return {
        "Sharpe": found.sharpe_ratio(),
        "Sortino": found.sortino_ratio(),
        "CAGR": found.annualized(),
        "volatility": found.annualized_volatility(),
        "MDD": found.max_drawdown(),
        "Calmar": found.calmar_ratio(),
        "total_return": found.total(),
    }


def by_backtesting(equity, index, trades):
    """From its own function, so with the curve and the trades that are ours."""
    close = pd.DataFrame({name: equity for name in ("Open", "High", "Low", "Close")}, index)
    made = pd.DataFrame(trades)
    made["Duration"] = index[made["ExitBar"]] - index[made["EntryBar"]]
    found = compute_stats(made, equity, close, None)
    names = {
        "Sharpe": "Sharpe Ratio",
        "Sortino": "Sortino Ratio",
        "MDD": "Max. Drawdown [%]",
        "PF": "Profit Factor",
        "win_rate": "Win Rate [%]",
        "total_return": "Return [%]",
        "Exposure": "Exposure Time [%]",
        "CAGR": "CAGR [%]",
    }
    return {name: found[theirs] / (100 if "[%]" in theirs else 1) for name, theirs in names.items()}


def asked(given):
    equity, initial, periods = np.array(given["equity"]), given["initial"], given["periods"]
    returns = equity / np.concatenate([[initial], equity[:-1]]) - 1
    index = pd.date_range("2024-01-01", periods=len(returns), freq="15min")
    r = pd.Series(returns, index)
    found = {
        "quantstats": by_quantstats(r, periods),
        "empyrical": by_empyrical(r, periods),
        "vectorbt": by_vectorbt(r, periods),
    }
    if given["trades"]:
        found["backtesting"] = by_backtesting(equity, index, given["trades"])
    return {peer: {name: float(value) for name, value in said.items()} for peer, said in found.items()}


sys.stdout.write(json.dumps([asked(one) for one in json.load(sys.stdin)]) + "\n")
