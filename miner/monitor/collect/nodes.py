"""BlockDAG nodes elsewhere, by their RPC: whether they answer, with whom they are connected, how far they are behind.

JSON-RPC 1.0 over HTTP with a user and a password. `getMainChainHeight` is the node's own height, `getPeerInfo` what is
known of its peers (runtime.dag). The chain's own API (`net_peerCount`) is not asked: it counts no peers of the DAG.
This host's own node is looked at by root's probe (`blockdag.py`), which sees its container and its disk too.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any

from miner.monitor import ask
from miner.monitor.collect.rates import Standstill
from miner.monitor.schedule import Collector
from miner.monitor.settings import Pairs
from miner.readings import Reading
from runtime import dag
from runtime.keys import Secret

UNAUTHORIZED = 401


class Refused(ValueError):
    """It runs, and does not answer this."""


class Nodes(Collector):
    name, every, timeout = "nodes", 15.0, 12.0

    def __init__(self, nodes: Pairs, user: str, password: Secret, *, each: float = 8.0) -> None:
        """`nodes`: the URL of each one's RPC. `each`: seconds that one has for its answers."""
        said = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
        self._nodes, self._each, self._standstill = nodes, each, Standstill()
        self._headers = {"Authorization": f"Basic {said}", "Content-Type": "application/json"}

    async def collect(self) -> list[Reading]:
        """All at once: a node that hangs holds up no other."""
        found = await asyncio.gather(*(self._look(name, url) for name, url in self._nodes))
        return [reading for one in found for reading in one]

    async def _look(self, name: str, url: str) -> list[Reading]:
        try:
            async with asyncio.timeout(self._each):
                height = _number(await self._call(url, "getMainChainHeight"))
                peers = await self._call(url, "getPeerInfo")
        except Refused as refused:
            return [Reading("node.running", name, 1.0), *_unknown(name, str(refused))]
        except TimeoutError:
            return _silent(name, f"no answer within {self._each:g} s")
        except ConnectionRefusedError:
            return _silent(name, "nobody listens there")
        except (OSError, ValueError) as error:
            return _silent(name, getattr(error, "strerror", None) or str(error))
        return [*_told(name, height, dag.heights(peers)), self._growth(name, height)]

    def _growth(self, name: str, height: int) -> Reading:
        return Reading("node.standstill_s", name, self._standstill.of(name, height), f"block {height}")

    async def _call(self, url: str, method: str) -> Any:
        """Raises OSError and ValueError on what is no answer, Refused on one that says no."""
        body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": []}).encode()
        answer = await ask.post(url, body, self._headers)
        if answer.status == UNAUTHORIZED:
            raise Refused("it refuses the user and the password")
        found = answer.json()
        if found.get("error"):
            raise Refused(f"it refuses {method}: {_message(found['error'])}")
        return found.get("result")


def _number(height: Any) -> int:
    try:
        return int(height)
    except (ValueError, TypeError):
        raise ValueError("what answers is no BlockDAG node") from None


def _told(name: str, height: int, peers: list[int]) -> list[Reading]:
    count = Reading("node.peers", name, float(len(peers)))
    note = f"block {height}" if peers else "no peer says how far it is"
    lag = Reading("node.lag", name, dag.lag(height, peers), note)
    return [Reading("node.running", name, 1.0), count, lag, Reading("node.height", name, float(height))]


def _silent(name: str, why: str) -> list[Reading]:
    return [Reading("node.running", name, 0.0, why[:200]), *_unknown(name, "the node does not answer")]


def _unknown(name: str, why: str) -> Iterable[Reading]:
    metrics = ("node.peers", "node.lag", "node.height", "node.standstill_s")
    return [Reading(metric, name, None, why[:200]) for metric in metrics]


def _message(error: Any) -> str:
    return str(error.get("message", error) if isinstance(error, dict) else error)[:120]
