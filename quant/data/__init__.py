"""`python -m quant.data`: which candles there are, and whether they are as they were stored (docs/candles.md)."""
