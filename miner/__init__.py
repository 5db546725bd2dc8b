"""cgminer and its sticks: what they are, how to ask it, what to watch."""
