"""Many combinations of one study over the same candles: which there are, where they are worked out, what came out
(docs/sweeps.md).
"""
