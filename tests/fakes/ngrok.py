#!/usr/bin/env python3
"""A stand-in for ngrok's agent: `ngrok start --all --config FILE --log stdout --log-format json`.

It reads a version 3 configuration, listens at its endpoint's URL (plain HTTP, on this machine) and forwards what comes
to the upstream, with the caller appended to X-Forwarded-For; it serves the inspector (GET /api/tunnels, GET and POST
/api/requests/http) and writes the agent's log lines. Its vendor's refusals, by their codes: a token `revoked...` is
ERR_NGROK_107, a URL whose port is taken ERR_NGROK_334. SIGUSR1 hangs the inspector and lets it go on.
Source: ngrok's documentation of the agent's configuration, log, inspector API and errors.
Standard library only: it is installed on lab hosts as a Debian package.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEPT: list[dict[str, Any]] = []
HANGS = threading.Event()


def say(level: str, message: str, **more: str) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime())
    sys.stdout.write(json.dumps({"lvl": level, "msg": message, "t": moment, **more}) + "\n")
    sys.stdout.flush()


def given(text: str, name: str, section: str = "") -> str:
    """A value of the configuration, which this project writes one to a line; strings are JSON's."""
    found = re.search(rf"{section}.*?^\s*{name}: ([^\n]+)$", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"ERROR:  no {name} in the configuration")
    value = found[1].strip()
    return str(json.loads(value)) if value.startswith('"') else value


class Front(BaseHTTPRequestHandler):
    """The public side."""

    upstream = ""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "x-forwarded-for"}
        told = self.headers.get("X-Forwarded-For")
        headers["X-Forwarded-For"] = f"{told}, {self.client_address[0]}" if told else self.client_address[0]
        status, answered, content = keep(self.upstream, self.command, self.path, headers, body)
        self.send_response(status)
        for name, value in answered:
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward


def keep(
    upstream: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    begun = time.monotonic()
    place = urlsplit(upstream)
    asked = http.client.HTTPConnection(place.netloc, timeout=10)
    try:
        asked.request(method, path, body, headers)
        answer = asked.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
    except OSError:
        say("warn", "failed to open private leg", privaddr=place.netloc, err="connection refused ERR_NGROK_8012")
        found = 502, [("Ngrok-Error-Code", "ERR_NGROK_8012")], b"ERR_NGROK_8012"
    finally:
        asked.close()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
    KEPT.insert(0, {
        "id": f"airt_{len(KEPT)}", "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "remote_addr": "",
        "duration": int((time.monotonic() - begun) * 1e9), "uri": path,
        "request": {
            "method": method, "uri": path, "raw": base64.b64encode(raw).decode(),
            "headers": {"X-Forwarded-For": [headers["X-Forwarded-For"]]},
        },
        "response": {"status_code": found[0]},
        "again": (upstream, method, path, headers, body.decode("latin-1")),
    })  # fmt: skip
    del KEPT[50:]
    return found


class Inspector(BaseHTTPRequestHandler):
    public = ""

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        while HANGS.is_set():
            time.sleep(0.1)
        if self.path == "/api/tunnels":
            self.answer(200, {"tunnels": [{"name": "tv", "public_url": self.public, "proto": "https"}]})
        elif self.path.partition("?")[0] == "/api/requests/http":
            self.answer(200, {"requests": [{k: v for k, v in one.items() if k != "again"} for one in KEPT]})
        else:
            self.answer(404, {"status_code": 404})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"]
        for one in KEPT:
            if one["id"] == wanted:
                upstream, method, path, headers, body = one["again"]
                keep(upstream, method, path, headers, body.encode("latin-1"))
                return self.answer(204, {})
        return self.answer(404, {"error_code": 100, "status_code": 404, "msg": "no such request"})


def main() -> int:
    with open(sys.argv[sys.argv.index("--config") + 1]) as file:  # noqa: PTH123 - it is read once
        text = file.read()
    url, upstream = given(text, "url", "endpoints:"), given(text, "url", "upstream:")
    if given(text, "authtoken").startswith("revoked"):
        say(
            "eror",
            "failed to reconnect session",
            err="authentication failed: the token was revoked\r\n\r\nERR_NGROK_107\r\n",
        )
        sys.stdout.write("ERROR:  authentication failed\nERROR:  ERR_NGROK_107\n")
        return 1
    signal.signal(signal.SIGUSR1, lambda *_: HANGS.clear() if HANGS.is_set() else HANGS.set())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    place = urlsplit(url)
    Front.upstream, Inspector.public = upstream, url
    try:
        front = ThreadingHTTPServer((place.hostname or "", place.port or 80), Front)
    except OSError:
        say("eror", "terminating with error", err=f"the endpoint '{url}' is already online.\r\n\r\nERR_NGROK_334\r\n")
        return 1
    web, _, port = given(text, "web_addr").rpartition(":")
    inspector = ThreadingHTTPServer((web, int(port)), Inspector)
    threading.Thread(target=inspector.serve_forever, daemon=True).start()
    say("info", "client session established", obj="tunnels.session")
    say("info", "started tunnel", obj="tunnels", name="tv", addr=upstream, url=url)
    front.serve_forever(poll_interval=0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
