"""Delivers the ledger's messages, in order, at its own pace. A ledger that is down or hangs delays only this thread.

Sent at least once: each carries an `event_id`, by which the ledger knows one that arrives again and changes nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import Connection

from runtime import clock
from runtime.outbox import deadletters, messages
from runtime.outbox.delivery import Deliverer
from runtime.outbox.messages import SINK, Message
from runtime.store import Store, StoreError

BATCH = 64
PRESSED_SECONDS = 0.05
"""The longest batch while alerts come fast: the rest after it has an end, however slow the ledger is."""
TIMEOUT_SECONDS = 3.0
AGAIN = frozenset({408, 425, 429})
CONFLICT = 409
BROKEN = 500

log = logging.getLogger("runtime.perf_sink")


class Undelivered(Exception):
    """The ledger did not take it now; trying again later can help. `status` is what it answered, if it did."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class _Sent:
    """What became of a batch: the last message that is done, those refused with the reason, what stopped it."""

    upto: int = 0
    taken: list[int] = field(default_factory=list)
    dead: dict[int, str] = field(default_factory=dict)
    failure: Undelivered | None = None


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
        """One batch; False when nothing was waiting. Raises Undelivered, StoreError: safe to call again.

        What an operator wants sent again comes first, in the order of the messages.
        """
        with self._store.read() as connection:
            wanted = deadletters.wanted(connection, SINK, BATCH)
            again = messages.these(connection, wanted)
            batch = messages.waiting(connection, BATCH)
        if wanted:
            self._again(wanted, again)
        elif batch:
            self._first(batch)
        return bool(wanted or batch)

    def _first(self, batch: list[Message]) -> None:
        sent, ts = self._send(batch), clock.iso(clock.now())
        if sent.upto:
            self._commit(lambda connection: messages.settle(connection, sent.upto, sent.dead, ts))
        if sent.failure is not None:
            raise sent.failure

    def _again(self, wanted: list[int], again: list[Message]) -> None:
        """One that makes the ledger fail is refused again, so that it holds up neither the others nor what is new."""
        sent, ts = self._send(again), clock.iso(clock.now())
        known = {message.id for message in again}
        gone = {ref: "the message is not in the store" for ref in wanted if ref not in known}
        if sent.failure is not None and sent.failure.status == BROKEN:
            failed = next(message.id for message in again if message.id > sent.upto)
            sent.dead[failed], sent.failure = str(sent.failure), None

        def write(connection: Connection) -> None:
            deadletters.forget(connection, SINK, sent.taken)
            deadletters.bury(connection, SINK, sent.dead | gone, ts)

        self._commit(write)
        if sent.failure is not None:
            raise sent.failure

    def _send(self, batch: list[Message]) -> _Sent:
        sent, line, began = _Sent(), _connection(self._url), clock.steady()
        try:
            for message in batch:
                if self._stopping.is_set() or (self.pressed() and clock.steady() - began > PRESSED_SECONDS):
                    break
                reason = _post(line, self._url.path.rstrip("/") + "/perf/event", _named(message))
                if reason is None:
                    sent.taken.append(message.id)
                else:
                    sent.dead[message.id] = reason
                    log.error("the ledger refused message %d: %s", message.id, reason)
                sent.upto = message.id
        except Undelivered as error:
            sent.failure = error
        finally:
            line.close()
        return sent


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
    raise Undelivered(f"the ledger answered {answer.status}", answer.status)


def _said(text: str) -> str:
    try:
        return str(json.loads(text)["error"])[:200]
    except (ValueError, KeyError, TypeError):
        return text[:200]
