"""cgminer and its sticks. Nothing here yet: the miner role is open work."""
