"""Candles to honest results: fetched and checked data, one engine, measures whose definitions are told
(docs/quant.md).
"""
