"""Docker's Engine API on a real Unix socket: what it tells of a container, its logs in frames, its version.

Source: Docker Engine API v1.41, and the answers of Docker 20.10.24 (Debian 12) to the same questions for containers
that ran, were killed, ran out of memory, restarted again and again, and could not be started.
"""

from __future__ import annotations

import contextlib
import json
import re
import socketserver
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.fakes.listen import answer, end

IMAGE_ID = "sha256:01938a93166ef4c725f8fb40112a0bb49508387a2a38c8e3475ff54343f59c23"
DIGEST = "sha256:5d1b2f3f4a1e0c0f7c2e8a9b6d5c4b3a29181706f5e4d3c2b1a0f9e8d7c6b5a4"
NEVER = "0001-01-01T00:00:00Z"
STARTED, ENDED = "2026-11-26T10:59:04.294868296Z", "2026-11-26T10:59:05.84346509Z"
BROKEN = 'failed to create shim task: OCI runtime create failed: exec: "/nothing": no such file or directory: unknown'

_STATE: dict[str, Any] = {
    **dict.fromkeys(("Running", "Paused", "Restarting", "OOMKilled", "Dead"), False),
    **{"Pid": 0, "ExitCode": 0, "Error": "", "StartedAt": STARTED, "FinishedAt": ENDED},
}
RUNNING = {**_STATE, "Status": "running", "Running": True, "Pid": 16937, "FinishedAt": NEVER}
KILLED = {**_STATE, "Status": "exited", "ExitCode": 137}
OUT_OF_MEMORY = {**KILLED, "OOMKilled": True}
RESTARTING = {**_STATE, "Status": "restarting", "Running": True, "Restarting": True, "ExitCode": 3}
PAUSED = {**RUNNING, "Status": "paused", "Paused": True}
CREATED = {**_STATE, "Status": "created", "StartedAt": NEVER, "FinishedAt": NEVER}
NOT_STARTED = {**CREATED, "ExitCode": 127, "Error": BROKEN}
UNHEALTHY = {**RUNNING, "Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": []}}


def frame(text: str, stream: int = 1) -> bytes:
    """As Docker sends a line of a container that has no terminal."""
    line = text.encode()
    return bytes((stream, 0, 0, 0)) + len(line).to_bytes(4, "big") + line


@dataclass
class Docker:
    """`oldest`, `newest`: API versions that it takes; `hang` in seconds; `raw`: what it answers instead of HTTP."""

    socket: Path
    name: str = "blockdag-node"
    state: dict[str, Any] = field(default_factory=lambda: dict(RUNNING))
    restarts: int = 0
    image: str = "blockdagnetwork/awakening:1.0"
    digests: tuple[str, ...] = (f"blockdagnetwork/awakening@{DIGEST}",)
    log: bytes = b""
    oldest: str = "1.12"
    newest: str = "1.41"
    hang: float = 0
    raw: bytes = b""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def start(self) -> Docker:
        self._server = _Server(str(self.socket), _Handler)
        self._server.docker = self  # type: ignore[attr-defined]
        answer(self._server)
        return self

    def stop(self) -> None:
        """The socket's file stays, as a daemon that was killed leaves it."""
        end(self._server)

    def answer(self, path: str) -> tuple[int, bytes]:
        """Of a path without its query."""
        if path == "/version":
            return 200, _json({"Version": "20.10.24+dfsg1", "ApiVersion": self.newest, "MinAPIVersion": self.oldest})
        version, _, rest = path[2:].partition("/")
        if problem := self._refused(version):
            return 400, _json({"message": problem})
        if self.status != 200:
            return self.status, _json({"message": "something went wrong"})
        if rest == f"images/{IMAGE_ID.replace(':', '%3A')}/json":
            return 200, _json({"Id": IMAGE_ID, "RepoTags": [self.image], "RepoDigests": list(self.digests)})
        found = re.fullmatch(r"containers/([^/]+)/(json|logs)", rest)
        if not found or found[1] != self.name:
            return 404, _json({"message": f"No such container: {found[1] if found else rest}"})
        return 200, self.log if found[2] == "logs" else _json(self._container())

    def _container(self) -> dict[str, Any]:
        config = {"Image": self.image, "Tty": False, "Env": ["RPC_PASSWORD=in-the-environment-of-the-container"]}
        return {"Id": "3379f762", "State": self.state, "Image": IMAGE_ID, "RestartCount": self.restarts,
                "Name": f"/{self.name}", "Config": config}  # fmt: skip

    def _refused(self, version: str) -> str:
        asked, oldest, newest = (tuple(map(int, one.split("."))) for one in (version, self.oldest, self.newest))
        if asked < oldest:
            return f"client version {version} is too old. Minimum supported API version is {self.oldest}"
        return f"client version {version} is too new. Maximum supported API version is {self.newest}" * (asked > newest)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        docker: Docker = self.server.docker  # type: ignore[attr-defined]
        docker.asked.append(self.path)
        time.sleep(docker.hang)
        with contextlib.suppress(ConnectionError):  # whoever asked did not wait
            if docker.raw:
                self.wfile.write(docker.raw)
                return
            status, body = docker.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: object) -> None:
        return
