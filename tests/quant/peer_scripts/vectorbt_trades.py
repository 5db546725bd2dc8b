"""What vectorbt makes of each case: candles, the side wanted at each close, fee, slippage, a stop (part of the price).

Signals are shifted by one bar, to be filled at the next open.
"""

import json
import sys

import numpy as np
import pandas as pd
import vectorbt as vbt


def played(case):
    index = pd.to_datetime(case["time"], unit="ms")
    prices = {name: pd.Series(case[name], index) for name in ("open", "high", "low", "close")}
    side = np.concatenate(([0], case["side"][:-1]))
    before = np.concatenate(([0], side[:-1]))
    changed = side != before
    stop = {"sl_stop": case["stop_part"]} if "stop_part" in case else {}
    portfolio = vbt.Portfolio.from_signals(
        prices["close"], pd.Series(changed & (side > 0), index), pd.Series(changed & (side == 0), index),
        pd.Series(changed & (side < 0), index), pd.Series(changed & (side == 0), index),
        price=prices["open"], open=prices["open"], high=prices["high"], low=prices["low"], size=case["quantity"],
        fees=case["fee"], slippage=case.get("slippage", 0.0), init_cash=case["cash"], freq="1h",
        stop_entry_price="FillPrice", stop_exit_price="StopMarket", upon_opposite_entry="Reverse", **stop,
    )  # fmt: skip
    trades = portfolio.trades.records
    names = {
        "side": np.where(trades["direction"] == 0, 1, -1), "quantity": trades["size"], "entry_bar": trades["entry_idx"],
        "exit_bar": trades["exit_idx"], "entry": trades["entry_price"], "exit": trades["exit_price"],
        "pnl": trades["pnl"], "open": trades["status"] == 0,
    }  # fmt: skip
    answer = {name: np.asarray(column, float).tolist() for name, column in names.items()}
    answer["equity"] = np.asarray(portfolio.value(), float).tolist()
    return answer


sys.stdout.write("\n" + json.dumps([played(case) for case in json.load(sys.stdin)]) + "\n")
