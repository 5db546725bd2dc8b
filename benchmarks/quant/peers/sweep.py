"""The same moving-average crosses in vectorbt and backtesting.py: run by the environment of the peers.

Reads JSON from stdin (path of the candles as .npy, pairs for vectorbt, one for backtesting.py, costs); prints JSON:
nanoseconds per bar per combination. Each is warmed up on a short part first, so nothing is compiled while it is timed.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import vectorbt as vbt  # noqa: E402
from backtesting import Backtest, Strategy  # noqa: E402

CASH = 10_000.0


def mean(close: np.ndarray, length: int) -> np.ndarray:
    sums = np.concatenate(([0.0], np.cumsum(close)))
    found = np.full(len(close), np.nan)
    found[length - 1 :] = (sums[length:] - sums[:-length]) / length
    return found


def simulated(close: np.ndarray, opens: np.ndarray, pairs: list[list[int]], fee: float) -> float:
    """Seconds of simulation alone, of signals that are known before; filled at the next open, always in the market."""
    above = np.column_stack([mean(close, fast) > mean(close, slow) for fast, slow in pairs])
    below = np.column_stack([mean(close, fast) < mean(close, slow) for fast, slow in pairs])
    above, below = (np.vstack([np.zeros((1, len(pairs)), bool), side[:-1]]) for side in (above, below))
    begun = time.perf_counter()
    vbt.Portfolio.from_signals(
        close[:, None], entries=above, short_entries=below, price=opens[:, None], fees=fee, init_cash=CASH,
        freq="15min", upon_opposite_entry="reverse",
    )  # fmt: skip
    return time.perf_counter() - begun


class Cross(Strategy):
    fast, slow = 20, 120

    def init(self) -> None:
        self.one = self.I(mean, self.data.Close, self.fast)
        self.other = self.I(mean, self.data.Close, self.slow)

    def next(self) -> None:
        if self.one[-1] > self.other[-1] and not self.position.is_long:
            self.buy()
        elif self.one[-1] < self.other[-1] and not self.position.is_short:
            self.sell()


def backtested(frame: pd.DataFrame, fee: float) -> float:
    test = Backtest(frame, Cross, cash=1e9, commission=fee, exclusive_orders=True, finalize_trades=True)
    begun = time.perf_counter()
    test.run()
    return time.perf_counter() - begun


def main() -> None:
    given = json.load(sys.stdin)
    time_, opens, high, low, close = np.load(given["candles"])
    pairs, fee, n = given["pairs"], given["fee"], len(close)
    simulated(close[:5000], opens[:5000], pairs, fee)
    spent = [simulated(close, opens, pairs, fee) * 1e9 / n / len(pairs) for _ in range(given["rounds"])]
    frame = pd.DataFrame({"Open": opens, "High": high, "Low": low, "Close": close}, pd.to_datetime(time_, unit="ms"))
    backtested(frame[:2000], fee)
    one = backtested(frame, fee)
    print(json.dumps({"simulation": spent, "backtesting": one * 1e9 / n}))


if __name__ == "__main__":
    main()
