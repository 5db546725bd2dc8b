"""Telegram's Bot API on a real socket: the methods that tv-telegram uses, with switches for what goes wrong.

Source: https://core.telegram.org/bots/api ("Making requests", getUpdates, sendMessage, editMessageText,
answerCallbackQuery, setMyCommands, ResponseParameters). Parameters come in the query, form-encoded or as JSON; answers
are `{"ok": true, "result": ...}` or `{"ok": false, "error_code": ..., "description": ..., "parameters": {...}}`.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.listen import serve

TOKEN = "123456789:AAFakeTokenOfTheTests_-abcdefghijklmno"
LONGEST = 4096
NESTED = frozenset({"reply_markup", "commands", "allowed_updates", "link_preview_options"})
"""Sent as JSON within the form."""
TAGS = frozenset({"b", "i", "u", "s", "code", "pre", "a"})


class Refusal(Exception):
    """The API says no."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


@dataclass
class Sent:
    """A message as the chat shows it; `text` without its tags, `code` what stood in `<code>`."""

    id: int
    chat: str
    html: str
    text: str
    code: list[str]
    buttons: list[tuple[str, str]]
    at: float


@dataclass
class Telegram:
    """`url` is the bot's base URL. Switch it while it runs; `stop()` it at the end.

    `refuse` answers each sendMessage with the next Refusal while there is one; `hang` accepts and never answers; `slow`
    is a pause in seconds before each answer.
    """

    host: str = "127.0.0.1"
    port: int = 0
    refuse: list[Refusal] = field(default_factory=list)
    slow: float = 0.0
    sent: list[Sent] = field(default_factory=list)
    edits: list[tuple[int, str]] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    calls: list[tuple[float, str]] = field(default_factory=list)
    menu: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.updates: list[dict[str, Any]] = []
        self.hanging = threading.Event()
        self._released = threading.Event()
        self._next_update, self._next_message = 1000, 1
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/bot"

    @property
    def text(self) -> str:
        """Everything that was sent, in order."""
        return "\n".join(one.text for one in list(self.sent))

    def start(self) -> Telegram:
        """Listen; on the same port as before, once it had one."""
        self._server = _Server((self.host, self.port), _Handler)
        self._server.telegram = self
        self.port = serve(self._server)
        return self

    def stop(self) -> None:
        """Down: nobody listens any more, and open connections are cut."""
        server, self._server = self._server, None
        if server is not None:
            self.release()
            server.shutdown()
            server.cut()
            server.server_close()

    def hang(self) -> None:
        self._released.clear()
        self.hanging.set()

    def release(self) -> None:
        """What hangs is cut without an answer; new requests are answered."""
        self.hanging.clear()
        self._released.set()

    def wait_hanging(self) -> None:
        self._released.wait(600)

    def write(self, text: str, *, chat: int = 42, user: int = 7, ago: float = 0.0, kind: str = "private") -> int:
        """Somebody sends the bot a message, `ago` seconds ago. Returns the update's id."""
        message = {"message_id": self._new_message(), "date": int(time.time() - ago), "text": text}
        return self.update(message=message | {"chat": {"id": chat, "type": kind}, "from": _user(user)})

    def press(self, number: int = 0, *, message: Sent | None = None, user: int = 7) -> int:
        """Somebody presses a button of a message (the newest one)."""
        on = message or self.sent[-1]
        shown = {"message_id": on.id, "date": int(on.at), "chat": {"id": int(on.chat), "type": "private"}}
        query = {"id": f"q{on.id}", "from": _user(user), "chat_instance": "1", "data": on.buttons[number][1]}
        return self.update(callback_query=query | {"message": shown | {"text": on.text}})

    def press_of(self, chat: int) -> int:
        """Somebody presses a button that is not of this bot's making."""
        shown = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, "text": "x"}
        return self.update(callback_query={"id": "q", "from": _user(chat), "chat_instance": "1", "message": shown})

    def update(self, **update: Any) -> int:
        with self.changed:
            self._next_update += 1
            self.updates.append({"update_id": self._next_update, **update})
            self.changed.notify_all()
            return self._next_update

    def call(self, method: str, given: dict[str, Any]) -> Any:
        """The result of a method. Raises Refusal."""
        self.calls.append((time.monotonic(), method))
        handler = getattr(self, f"_do_{method.lower()}", None)
        if handler is None:
            raise Refusal(404, "Not Found")
        return handler(given)

    def _do_getme(self, _: dict[str, Any]) -> Any:
        return {"id": 123456789, "is_bot": True, "first_name": "Trader", "username": "trader_bot"}

    def _do_deletewebhook(self, _: dict[str, Any]) -> Any:
        return True

    def _do_setmycommands(self, given: dict[str, Any]) -> Any:
        self.menu = given["commands"]
        return True

    def _do_getupdates(self, given: dict[str, Any]) -> Any:
        limit, offset = time.monotonic() + float(given.get("timeout", 0)), int(given.get("offset", 0))
        with self.changed:
            self.updates = [one for one in self.updates if one["update_id"] >= offset]
            while not self.updates and time.monotonic() < limit and self._server and not self.hanging.is_set():
                self.changed.wait(0.1)
            return list(self.updates)

    def _do_sendmessage(self, given: dict[str, Any]) -> Any:
        if self.refuse:
            raise self.refuse.pop(0)
        shown = Shown(given["text"], given.get("parse_mode"))
        rows = given.get("reply_markup", {}).get("inline_keyboard", [])
        buttons = [(one["text"], one["callback_data"]) for row in rows for one in row]
        if any(len(data.encode()) > 64 for _, data in buttons):
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
        number = self._new_message()
        one = Sent(number, str(given["chat_id"]), given["text"], shown.text, shown.code, buttons, time.time())
        self.sent.append(one)
        return {"message_id": number, "date": int(one.at), "chat": {"id": given["chat_id"], "type": "private"}}

    def _do_editmessagetext(self, given: dict[str, Any]) -> Any:
        shown = Shown(given["text"], given.get("parse_mode"))
        self.edits.append((int(given["message_id"]), shown.text))
        return {"message_id": given["message_id"], "date": 1, "chat": {"id": given["chat_id"], "type": "private"}}

    def _do_answercallbackquery(self, given: dict[str, Any]) -> Any:
        self.toasts.append(str(given.get("text", "")))
        return True

    def _new_message(self) -> int:
        self._next_message += 1
        return self._next_message


def _user(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "A"}


class Shown(HTMLParser):
    """Text as Telegram parses it. Raises Refusal on a tag it does not know, and on text that is too long."""

    def __init__(self, text: str, mode: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.code, self._open = "", list[str](), list[str]()
        if mode == "HTML":
            self.feed(text)
            self.close()
        else:
            self.text = text
        if self._open:
            raise Refusal(400, "Bad Request: can't parse entities: unclosed tag")
        if not self.text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if len(self.text.encode("utf-16-le")) // 2 > LONGEST:
            raise Refusal(400, "Bad Request: message is too long")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in TAGS:
            raise Refusal(400, f"Bad Request: can't parse entities: unsupported start tag {tag!r}")
        self._open.append(tag)
        if tag == "code":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise Refusal(400, "Bad Request: can't parse entities: unexpected end tag")

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" in self._open:
            self.code[-1] += data


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    telegram: Telegram

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for one in list(self._open):
            super().shutdown_request(one)

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that is killed leaves half a request


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        telegram, url = self.server.telegram, urlsplit(self.path)
        given = self._given(url.query)
        if telegram.hanging.is_set():
            telegram.wait_hanging()
            self.close_connection = True
            return
        time.sleep(telegram.slow)
        try:
            self._answer(200, {"ok": True, "result": self._result(url.path, given)})
        except Refusal as error:
            body = {"ok": False, "error_code": error.status, "description": error.description}
            self._answer(error.status, body | ({"parameters": error.parameters} if error.parameters else {}))

    do_GET = do_POST

    def _result(self, path: str, given: dict[str, Any]) -> Any:
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", path)
        if found is None:
            raise Refusal(404, "Not Found")
        if found[1] != TOKEN:
            raise Refusal(401, "Unauthorized")
        return self.server.telegram.call(found[2], given)

    def _given(self, query: str) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(body))
        form = parse_qsl(query) + parse_qsl(body)
        return {name: json.loads(text) if name in NESTED else text for name, text in form}

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return
