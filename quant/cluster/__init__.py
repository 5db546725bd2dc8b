"""A cluster of our own hosts: `quant.cluster.scheduler` and `quant.cluster.worker` are its services, `python -m
quant.cluster` shows what it does (docs/cluster.md).
"""
