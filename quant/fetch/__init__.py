"""Candles and funding rates from an exchange into the dataset: only what is missing, in both directions."""
