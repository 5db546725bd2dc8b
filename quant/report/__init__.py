"""What a run leaves for people and for scripts: figures, trades, the curve, a picture, and a page."""
