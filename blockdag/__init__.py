"""The BlockDAG node. Nothing here yet: the blockdag role is open work."""
