"""Candles, backtests, reports. Nothing here yet: quant is open work."""
