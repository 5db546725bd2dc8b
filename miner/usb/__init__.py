"""The sticks on this machine's USB bus, without cgminer and without a right: what, where, and who may open it."""
