"""Candles to honest results: fetched and checked data, one engine, measures whose definitions are told
(docs/quant.md).
"""

import gc

gc.set_threshold(100_000, 50, 100)
"""A command's imports make a quarter of a million objects that stay: looking through them again and again took a tenth
of its time. What else is made here is arrays, which are not looked through."""
