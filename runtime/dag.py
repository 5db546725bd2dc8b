"""What a BlockDAG node says of its peers. Pure.

`getPeerInfo` has of each peer what it said last of its DAG (`graphstate.mainheight`). Source: the RPC of Qitmeer, which
BlockDAG's node was made from.
"""

from __future__ import annotations

from typing import Any

GONE = frozenset({"disconnected", "disconnecting", "connecting", "bad", "false"})
"""States of a peer that is none."""


def heights(peers: Any) -> list[int]:
    """Of the peers that are connected and have said where they are: as many as there are such peers."""
    if not isinstance(peers, list):
        return []
    return [found for peer in peers if (found := _height(peer)) is not None]


def lag(height: int, peers: list[int]) -> int | None:
    """Blocks it is behind the highest of them; None: nobody says how far the chain is."""
    return max(0, max(peers) - height) if peers else None


def _height(peer: Any) -> int | None:
    state = peer.get("graphstate") if isinstance(peer, dict) else None
    if not isinstance(state, dict) or str(peer.get("state", "")).lower() in GONE:
        return None
    height = state.get("mainheight")
    return height if isinstance(height, int) and not isinstance(height, bool) else None
