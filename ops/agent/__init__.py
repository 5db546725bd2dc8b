"""The host side: compares and applies one document of desired state, then leaves nothing behind.

Runs on the host's own python3 (>= 3.11, standard library only) from an archive held in memory.
"""
