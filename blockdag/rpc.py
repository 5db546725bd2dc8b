"""What the node itself says, by its JSON-RPC: height, peers, how far it is behind, its version.

JSON-RPC 1.0 over HTTP with a user and a password, as Qitmeer's node has it, which BlockDAG's was made from;
`eth_syncing` at the chain's own API. `net_peerCount` is not asked: it counts no peers of the DAG.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from blockdag import http
from blockdag.http import Silent, Strange, Unanswered
from blockdag.settings import Address, ProbeSettings
from runtime import clock, dag
from runtime.secret import Secret

Json = dict[str, Any]
UNKNOWN: Json = dict.fromkeys(("height", "peers", "lag", "syncing", "version"))
NOT_FOUND = -32601
"""JSON-RPC 2.0, 5.1: it has no such method."""


class Refused(Unanswered):
    """It runs, and does not answer this."""


class Lacks(Refused):
    """It has no such method."""


class Node:
    """One that is asked. `seconds` is for all questions together."""

    def __init__(self, at: Address, user: str, password: Secret, seconds: float) -> None:
        said = b64encode(f"{user}:{password.reveal()}".encode()).decode()
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Basic {said}"} if user else {})}
        self._at, self._seconds = at, seconds
        self._until = clock.steady() + seconds

    def call(self, method: str) -> Any:
        """Raises Unanswered."""
        body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": []}).encode()
        left = self._until - clock.steady()
        if left <= 0:
            raise Silent(f"no answer within {self._seconds:g} s")
        try:
            answer = http.post((self._at.host, self._at.port), self._at.path, self._headers, body, left)
        except Silent as silent:
            late = clock.steady() >= self._until
            raise Silent(f"no answer within {self._seconds:g} s" if late else str(silent)) from None
        except ConnectionRefusedError:
            raise Silent(f"nobody listens at {self._at.said}") from None
        except OSError as error:
            raise Silent(f"{self._at.said}: {error.strerror or error}") from None
        return _result(method, answer)


def look(settings: ProbeSettings, seconds: float) -> Json:
    """`{"state", "why", "height", "peers", "lag", "syncing", "version"}`. Never raises: what fails is told."""
    node = Node(settings.rpc, settings.user, settings.password, seconds)
    found = {"state": "up", "why": "", **UNKNOWN}
    try:
        height = _height(node)
        peers = dag.heights(node.call("getPeerInfo"))
        found |= {"height": height, "peers": len(peers), "lag": dag.lag(height, peers)}
    except Unanswered as error:
        return found | {"state": _state(error), "why": str(error)}
    return found | {"version": _version(node), "syncing": _syncing(settings.eth, seconds)}


def _state(error: Unanswered) -> str:
    return "refused" if isinstance(error, Refused) else "silent" if isinstance(error, Silent) else "strange"


def _height(node: Node) -> int:
    """Of its main chain; a node that does not tell that counts its blocks."""
    try:
        said = node.call("getMainChainHeight")
    except Lacks:
        said = node.call("getBlockCount")
    try:
        return int(said)
    except (ValueError, TypeError, OverflowError):
        raise Strange("what answers is no BlockDAG node") from None


def _version(node: Node) -> str | None:
    """Worth no alert: a node that answers all but this one is up."""
    try:
        said = node.call("getNodeInfo")
    except Unanswered:
        return None
    return str(said["buildversion"])[:60] if isinstance(said, dict) and said.get("buildversion") else None


def _syncing(at: Address | None, seconds: float) -> bool | None:
    """False, or an object with how far it is: eth_syncing."""
    if at is None:
        return None
    try:
        said = Node(at, "", Secret(""), seconds).call("eth_syncing")
    except Unanswered:
        return None
    return said if isinstance(said, bool) else True if isinstance(said, dict) else None


def _result(method: str, answer: http.Answer) -> Any:
    if answer.status in (401, 403):
        raise Refused("it refuses the user and the password")
    try:
        found = answer.json()
    except Strange:
        raise Strange(f"what answers is no BlockDAG node: HTTP {answer.status}, no JSON") from None
    if not isinstance(found, dict):
        raise Strange("what answers is no BlockDAG node")
    if error := found.get("error"):
        code, said = (error.get("code"), error.get("message", error)) if isinstance(error, dict) else (None, error)
        raise (Lacks if code == NOT_FOUND else Refused)(f"it refuses {method}: {str(said)[:120]}")
    return found.get("result")
