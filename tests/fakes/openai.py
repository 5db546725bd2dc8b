"""OpenAI's Responses API on a real socket: POST /v1/responses, streamed, with switches for what goes wrong.

Source: https://platform.openai.com/docs/api-reference/responses-streaming (events and their fields) and
https://platform.openai.com/docs/guides/error-codes. Every request's body is kept in `received`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.listen import end, serve

KEY = "sk-test-FakeKeyOfTheTests0123456789abcd"
EMPTY: dict[str, list[str]] = {
    "objectifs": [], "actions": [], "decisions": [], "commandes": [], "points_ouverts": [],
}  # fmt: skip
Answer = Callable[[dict[str, Any]], dict[str, list[str]]]


@dataclass(frozen=True)
class Failure:
    """An answer that is none. `kind`: status (with `status`, `code`, `headers`), refusal, truncated, empty, incomplete,
    failed, cut (the connection, amid the stream), garbage.
    """

    kind: str
    status: int = 0
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class OpenAI:
    """`url` is the base URL. `fail` is used up one a request; `always` fails each; `answer` makes the draft."""

    answer: Answer = lambda body: EMPTY | {"objectifs": ["un but"], "actions": ["une action"]}
    fail: list[Failure] = field(default_factory=list)
    always: Failure | None = None
    received: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    slow: float = 0.0

    def __post_init__(self) -> None:
        self.hanging = threading.Event()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.openai = self
        serve(self._server)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def text(self) -> str:
        """All that it was ever sent."""
        return "\n".join(json.dumps(one, ensure_ascii=False) for one in self.received)

    def stop(self) -> None:
        self._released.set()
        end(self._server)

    def hang(self) -> None:
        """Take requests and never answer."""
        self.hanging.set()

    def wait_hanging(self) -> None:
        self._released.wait(600)

    def failure(self) -> Failure | None:
        return self.fail.pop(0) if self.fail else self.always


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    openai: OpenAI

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that gives up or is killed


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        fake, body = self.server.openai, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake.received.append(body)
        fake.times.append(time.monotonic())
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._error(401, "invalid_api_key", "Incorrect API key provided: sk-wrong*******.", {})
            return
        if fake.hanging.is_set():
            fake.wait_hanging()
            self.close_connection = True
            return
        failure = fake.failure()
        if failure and failure.kind == "status":
            self._error(failure.status, failure.code, f"it quotes {body['input']!r:.80}", failure.headers)
            return
        self._stream(body, failure.kind if failure else "")

    def _error(self, status: int, code: str, message: str, headers: dict[str, str]) -> None:
        body = json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, body: dict[str, Any], trouble: str) -> None:
        fake = self.server.openai
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        text = "" if trouble == "refusal" else _text(fake, body, trouble)
        for number, event in enumerate(_events(body, text, trouble)):
            line = json.dumps(event | {"sequence_number": number}, ensure_ascii=False)
            self.wfile.write(f"event: {event['type']}\ndata: {line}\n\n".encode())
            self.wfile.flush()
            time.sleep(fake.slow)
            if trouble == "cut" and number == 4:
                break
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


def _text(fake: OpenAI, body: dict[str, Any], trouble: str) -> str:
    if trouble == "empty":
        return json.dumps(EMPTY)
    text = json.dumps(fake.answer(body), ensure_ascii=False)
    return {"truncated": text[: len(text) // 2], "garbage": "Voici: " + text, "incomplete": text[:20]}.get(
        trouble, text
    )


def _events(body: dict[str, Any], text: str, trouble: str) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response(body, "in_progress", [])}
    yield {"type": "response.in_progress", "response": _response(body, "in_progress", [])}
    if trouble == "failed":
        error = {"code": "server_error", "message": "The model failed"}
        yield {"type": "response.failed", "response": _response(body, "failed", [], error=error)}
        return
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield {"type": "response.output_item.added", "output_index": 0, "item": _message("in_progress", [])}
    if trouble == "refusal":
        yield from _refusal(body, at)
        return
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.content_part.added", "part": part, **at}
    for start in range(0, len(text), 40):
        yield {"type": "response.output_text.delta", "delta": text[start : start + 40], "logprobs": [], **at}
    if trouble == "incomplete":
        details = {"reason": "max_output_tokens"}
        output = [_message("incomplete", [part | {"text": text}])]
        yield {
            "type": "response.incomplete",
            "response": _response(body, "incomplete", output, incomplete_details=details),
        }
        return
    done = _message("completed", [part | {"text": text}])
    yield {"type": "response.output_text.done", "text": text, "logprobs": [], **at}
    yield {"type": "response.content_part.done", "part": part | {"text": text}, **at}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    yield {"type": "response.completed", "response": _response(body, "completed", [done])}


def _refusal(body: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    part = {"type": "refusal", "refusal": "I cannot help with that."}
    yield {"type": "response.content_part.added", "part": part | {"refusal": ""}, **at}
    yield {"type": "response.refusal.delta", "delta": part["refusal"], **at}
    yield {"type": "response.refusal.done", "refusal": part["refusal"], **at}
    done = _message("completed", [part])
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    yield {"type": "response.completed", "response": _response(body, "completed", [done])}


def _message(status: str, content: list[Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def _response(body: dict[str, Any], status: str, output: list[Any], **more: Any) -> dict[str, Any]:
    known = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_770_000_000,
        "model": body["model"],
        "status": status,
    }
    known |= {"output": output, "error": None, "incomplete_details": None, "instructions": body.get("instructions")}
    known |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}, "temperature": 1.0}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return known | {"top_p": 1.0, "usage": usage | details if status == "completed" else None} | more
