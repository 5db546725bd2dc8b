"""The BlockDAG node of a host, looked at by root: `python -m blockdag.probe`."""
