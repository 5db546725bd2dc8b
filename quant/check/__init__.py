"""Honesty: whether a backtest deceives itself, each question with its verdict in words and numbers (docs/checks.md)."""
