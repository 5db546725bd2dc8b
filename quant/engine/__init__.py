"""The engine: candles and signals in, equity and trades out."""
