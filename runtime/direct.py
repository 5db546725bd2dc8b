"""The short way from the socket to an alert's answer.

A request that has come whole, as nearly every alert does, needs nothing of what ASGI is made for: no stream of messages
in, none out. One whose path the application takes directly is answered by one call with its body; everything else (a
body in pieces, a second request on the heels of the first, other paths) goes Uvicorn's own way, and so does whatever is
unusual about an alert. Both ways end in the same handler and give the same answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from runtime.http import GOODBYE, MAX_BODY, Edge, Scope


class _Cycle:
    """A request under way, as far as Uvicorn's connection asks about one."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    message_event = asyncio.Event()
    """Nobody waits for it: the body is there."""

    def __init__(self) -> None:
        self.disconnected = self.response_complete = False
        self.keep_alive = True


class Protocol(HttpToolsProtocol):
    """Uvicorn's connection, for an `Edge`."""

    _whole: bytes | None = None
    """The body so far of a request that may go the short way."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._whole is not None:  # the rest is still to come: Uvicorn waits for it
            begun, self._whole = self._whole, None
            if not self.transport.is_closing():
                super().on_headers_complete()
                super().on_body(begun)

    def on_headers_complete(self) -> None:
        if self._may_be_short():
            self._whole = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole += body

    def on_message_complete(self) -> None:
        body, self._whole = self._whole, None
        if body is None:
            super().on_message_complete()
        elif len(body) > MAX_BODY:
            super().on_headers_complete()
            super().on_body(body)
            super().on_message_complete()
        else:
            self._answer(body)

    def _may_be_short(self) -> bool:
        before: Any = self.cycle
        return (
            isinstance(self.app, Edge)
            and self.app.takes(self.parser.get_method(), self.url)
            and (before is None or before.response_complete)
            and not self.pipeline
            and not self.expect_100_continue
            and self.parser.should_keep_alive()
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        )

    def _answer(self, body: bytes) -> None:
        scope: Any = self.scope
        scope |= {"method": "POST", "path": self.url.decode("ascii"), "raw_path": self.url, "query_string": b""}
        cycle: Any = _Cycle()
        self.cycle = cycle
        task = self.loop.create_task(self._reply(cycle, scope, body))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _reply(self, cycle: _Cycle, scope: Scope, body: bytes) -> None:
        edge: Any = self.app
        try:
            status, headers, text = await edge.answer(scope, body)
        except Exception as error:  # what explains faults is at fault itself
            self.logger.error("no answer to %s", scope["path"], exc_info=error)
            self.transport.close()
            return
        if cycle.disconnected:
            return
        if not cycle.keep_alive and GOODBYE not in headers:  # the server stops
            headers.append(GOODBYE)
        told = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            told += (name, b": ", value, b"\r\n")
        told += (b"\r\n", text)
        self.transport.write(b"".join(told))
        cycle.response_complete = True
        if GOODBYE in headers:
            self.transport.close()
        self.on_response_complete()
