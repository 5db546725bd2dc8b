"""Candles to honest results: fetched and checked data, one engine, measures whose definitions are told
(docs/quant.md).
"""

import gc
import os

# Looking for plugins that we do not have reads the metadata of every installed package: 12 ms of each command.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

gc.set_threshold(100_000, 50, 100)
"""A command's imports make a quarter of a million objects that stay: looking through them again and again took a tenth
of its time. What else is made here is arrays, which are not looked through."""
