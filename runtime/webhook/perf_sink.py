"""Delivers the ledger's messages, in order, at its own pace. A ledger that is down or hangs delays only this thread.

Sent at least once: each carries an `event_id`, by which the ledger knows one that arrives again and changes nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
from urllib.parse import SplitResult, urlsplit

from runtime.delivery import Deliverer
from runtime.store import Store, StoreError
from runtime.webhook import messages
from runtime.webhook.messages import Message

BATCH = 64
TIMEOUT_SECONDS = 3.0
AGAIN = frozenset({408, 425, 429})
CONFLICT = 409

log = logging.getLogger("runtime.perf_sink")


class Undelivered(Exception):
    """The ledger did not take it now; trying again later can help."""


class PerfSink(Deliverer):
    """Stopping hardly waits: what is under way is sent again, and a ledger that hangs must not hold up a restart."""

    name = "perf"
    log = log
    expected = (Undelivered, StoreError)
    delayed = logging.WARNING
    recovered = "the ledger answers again"
    patience = 0.5

    def __init__(self, store: Store, url: str) -> None:
        super().__init__(store)
        self._url = urlsplit(url)

    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises Undelivered, StoreError: safe to call again."""
        with self._store.read() as connection:
            batch = messages.waiting(connection, BATCH)
        if not batch:
            return False
        upto, dead, failure = self._send(batch)
        if upto:
            self._commit(lambda connection: messages.settle(connection, upto, dead))
        if failure is not None:
            raise failure
        return True

    def _send(self, batch: list[Message]) -> tuple[int, dict[int, str], Undelivered | None]:
        """(the last message that is done, those refused for good with the reason, what stopped it)"""
        upto, dead = 0, dict[int, str]()
        line = _connection(self._url)
        try:
            for message in batch:
                if self._stopping.is_set():
                    break
                reason = _post(line, self._url.path.rstrip("/") + "/perf/event", _named(message))
                if reason is not None:
                    dead[message.id] = reason
                    log.error("the ledger refused message %d: %s", message.id, reason)
                upto = message.id
        except Undelivered as error:
            return upto, dead, error
        finally:
            line.close()
        return upto, dead, None


def _named(message: Message) -> str:
    """With the event's id: its number in this store, and its moment, which no other store's has."""
    body = json.loads(message.body)
    return json.dumps({"event_id": f"{body['ts']} {message.id}", **body})


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port or 80, timeout=TIMEOUT_SECONDS)


def _post(line: http.client.HTTPConnection, path: str, body: str) -> str | None:
    """None when the ledger has it, else why it never will. Raises Undelivered."""
    try:
        line.request("POST", path, body.encode(), {"Content-Type": "application/json"})
        answer = line.getresponse()
        text = answer.read(4096).decode("utf-8", "replace")
        if answer.will_close:
            line.close()
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(str(error) or type(error).__name__) from None
    if answer.status < 300 or answer.status == CONFLICT:
        return None
    if 400 <= answer.status < 500 and answer.status not in AGAIN:
        return f"{answer.status} {_said(text)}"
    raise Undelivered(f"the ledger answered {answer.status}")


def _said(text: str) -> str:
    try:
        return str(json.loads(text)["error"])[:200]
    except (ValueError, KeyError, TypeError):
        return text[:200]
