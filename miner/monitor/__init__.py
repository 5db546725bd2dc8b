"""miner-monitor: what this machine and its miner do, looked at every few seconds, remembered, shown.

`collect/` measures and knows no rules, `board.py` holds what was measured last, `pulse.py` makes cycles of it for the
rules (miner.alerts), `history.py` keeps it, `api.py` shows it.
"""
