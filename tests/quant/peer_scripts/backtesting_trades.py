"""What backtesting.py makes of each case: candles, the side wanted at each close, fee, stop and target prices.

Its orders are for the next bar's open; an entry is made where the wanted side changes.
"""

import json
import sys

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy


def played(case):
    side = np.array(case["side"])
    stop, target = case.get("stop"), case.get("target")

    class Follow(Strategy):
        def init(self):
            self.answered = 0

        def next(self):
            t = len(self.data) - 1
            wanted = side[t]
            if wanted == self.answered:
                return
            self.answered = wanted
            self.position.close()
            if wanted:
                order = self.buy if wanted > 0 else self.sell
                order(size=case["quantity"], sl=stop[t] if stop else None, tp=target[t] if target else None)

    frame = pd.DataFrame(
        {name.title(): case[name] for name in ("open", "high", "low", "close")},
        index=pd.to_datetime(case["time"], unit="ms"),
    )
    test = Backtest(frame, Follow, cash=case["cash"], commission=case["fee"], margin=0.01, finalize_trades=True)
    stats = test.run()
    trades = stats["_trades"]
    names = {
        "side": np.sign(trades["Size"]), "quantity": trades["Size"].abs(), "entry_bar": trades["EntryBar"],
        "exit_bar": trades["ExitBar"], "entry": trades["EntryPrice"], "exit": trades["ExitPrice"], "pnl": trades["PnL"],
    }  # fmt: skip
    answer = {name: np.asarray(column, float).tolist() for name, column in names.items()}
    answer["equity"] = float(stats["Equity Final [$]"])
    return answer


sys.stdout.write("\n" + json.dumps([played(case) for case in json.load(sys.stdin)]) + "\n")
