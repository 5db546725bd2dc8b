"""The RPC of a BlockDAG node on a real socket: JSON-RPC over POST, basic authentication, as Qitmeer's node answers.

Source: Qitmeer's rpc (GetPeerInfoResult, GetGraphStateResult, InfoNodeResult); 401 with a text for a wrong user or
password, and {"error": {"code": -32601, ...}} for a method that it does not have. `eth_*`: the chain's own API, which
asks for no password: eth_syncing is false, or an object with how far it is.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.listen import end, serve

USER, PASSWORD = "dag", "node-password-of-the-tests"


def peer(height: int | None, state: str = "connected") -> dict[str, Any]:
    graph = {} if height is None else {"graphstate": {"tips": [], "mainorder": 1, "mainheight": height, "layer": 1}}
    return {"id": "16Uiu2HAm", "address": "/ip4/10.0.0.1/tcp/18150", "state": state, "timeoffset": 0, **graph}


@dataclass
class Node:
    height: int = 1000
    peers: list[dict[str, Any]] = field(default_factory=list)
    hang: float = 0
    lacks: str = ""
    """Methods that this version does not have, with spaces."""
    version: str = "1.2.0+blockdag"
    syncing: Any = False
    raw: bytes = b""
    """What it answers instead of HTTP."""
    asked: list[str] = field(default_factory=list)

    def start(self) -> Node:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.node = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{serve(self._server)}"
        return self

    def stop(self) -> None:
        end(self._server)

    def answer(self, method: str) -> dict[str, Any]:
        known = {"getMainChainHeight": self.height, "getPeerInfo": self.peers, "getBlockCount": self.height}
        known |= {"getNodeInfo": self._info(), "eth_syncing": self.syncing, "eth_chainId": "0x413"}
        known |= {"net_peerCount": "0x0"}  # it counts no peers of the DAG
        if method in self.lacks.split() or method not in known:
            error = {"code": -32601, "message": f"the method {method} does not exist/is not available"}
            return {"jsonrpc": "1.0", "id": 1, "error": error}
        return {"jsonrpc": "1.0", "id": 1, "result": known[method]}

    def _info(self) -> dict[str, Any]:
        return {"ID": "16Uiu2HAm", "version": 1020000, "buildversion": self.version, "protocolversion": 46,
                "graphstate": {"tips": [], "mainorder": 1, "mainheight": self.height, "layer": 1}}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        node: Node = self.server.node  # type: ignore[attr-defined]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        node.asked.append(asked["method"])
        time.sleep(node.hang)
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if node.raw:
            with contextlib.suppress(ConnectionError):
                self.wfile.write(node.raw)
        elif not asked["method"].startswith(("eth_", "net_")) and self.headers["Authorization"] != f"Basic {wanted}":
            self._send(401, b"401 Unauthorized.\n")
        else:
            self._send(200, json.dumps(node.answer(asked["method"])).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # whoever asked did not wait
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return
