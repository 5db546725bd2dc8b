"""The series that backtesting.py ships: time (ms), open, high, low, close of each."""

import json
import sys

import numpy as np
from backtesting.test import BTCUSD, EURUSD, GOOG

names = json.load(sys.stdin)
frames = {"EURUSD": EURUSD, "GOOG": GOOG, "BTCUSD": BTCUSD}
answer = {}
for name in names:
    frame = frames[name]
    answer[name] = {column.lower(): frame[column].astype(float).tolist() for column in ("Open", "High", "Low", "Close")}
    answer[name]["time"] = np.asarray(frame.index.as_unit("ms").asi8).tolist()
sys.stdout.write("\n" + json.dumps(answer) + "\n")
