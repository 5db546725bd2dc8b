"""Live against backtest: the ledger's closed trades beside those that the same engine's backtest has."""
