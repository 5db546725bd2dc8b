"""GitHub's REST API on a real socket, as far as deploy keys go.

Source: https://docs.github.com/en/rest/deploy-keys/deploy-keys: list (200), create (201, or 422 with an `errors` list),
delete (204); 401 "Bad credentials", 404 "Not Found" for what a token may not see, 403 for what it may not do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.listen import end, serve

TOKEN = "github_pat_" + "11FAKEOFTHETESTS" * 3
SLUG = "ann/notes"


@dataclass
class GitHub:
    """`url` is the API's. `elsewhere` are keys of other repositories; `forbidden` says no to whoever writes."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    forbidden: bool = False
    calls: list[str] = field(default_factory=list)
    url: str = ""

    def start(self) -> GitHub:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                return

            def _do(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                status, answer = fake.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = _do

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{serve(self._server)}"
        return self

    def stop(self) -> None:
        end(self._server)

    def answer(self, method: str, path: str, authorization: str, body: Any) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        place, _, number = path.partition("?")[0].removeprefix(f"/repos/{SLUG}/keys").partition("/")
        if authorization != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        if place or not path.startswith(f"/repos/{SLUG}/keys"):
            return 404, {"message": "Not Found"}
        if method == "GET":
            return 200, self.keys
        if self.forbidden:
            return 403, {"message": "Resource not accessible by personal access token"}
        if method == "DELETE":
            self.keys = [key for key in self.keys if str(key["id"]) != number]
            return 204, None
        return self._add(body)

    def _add(self, body: Any) -> tuple[int, Any]:
        known = {" ".join(key["key"].split()[:2]) for key in self.keys} | self.elsewhere
        if " ".join(body["key"].split()[:2]) in known:
            detail = {"resource": "PublicKey", "field": "key", "message": "key is already in use"}
            return 422, {"message": "Validation Failed", "errors": [detail]}
        # GitHub keeps type and key, not the comment
        self.keys.append({"id": len(self.calls), **body, "key": " ".join(body["key"].split()[:2])})
        return 201, self.keys[-1]
