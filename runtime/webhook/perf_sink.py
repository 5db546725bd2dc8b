"""Delivers the ledger's messages, in order, at its own pace. A ledger that is down or hangs delays only this thread.

Sent at least once: the ledger knows a trade by its id, so an OPEN or CLOSE that arrives again changes nothing there. An
answer that says so counts as delivered.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
from urllib.parse import SplitResult, urlsplit

from runtime.store import Store, StoreError
from runtime.webhook import messages
from runtime.webhook.messages import Message

BATCH = 64
TIMEOUT_SECONDS = 3.0
IDLE_SECONDS = 5.0
COMMIT_SECONDS = 10.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
AGAIN = frozenset({408, 425, 429})
CONFLICT = 409

log = logging.getLogger("runtime.perf_sink")


class Undelivered(Exception):
    """The ledger did not take it now; trying again later can help."""


class PerfSink:
    """A thread of its own. `error` says why the last attempt failed, or None."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = urlsplit(url)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="perf-sink", daemon=True)
        self.error: str | None = None

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the store."""
        self._wake.set()

    def stop(self, timeout: float = 0.5) -> None:
        """Whatever is under way is sent again at the next start; a ledger that hangs must not hold up a restart."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout)

    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises Undelivered, StoreError: safe to call again."""
        with self._store.read() as connection:
            batch = messages.waiting(connection, BATCH)
        if not batch:
            return False
        upto, dead, failure = self._send(batch)
        if upto:
            done = self._store.submit(lambda connection: messages.settle(connection, upto, dead))
            try:
                done.result(COMMIT_SECONDS)
            except TimeoutError:
                raise StoreError(f"no commit within {COMMIT_SECONDS:g} s") from None
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
                reason = _post(line, self._url.path.rstrip("/") + "/perf/event", message.body)
                if reason is not None:
                    dead[message.id] = reason
                    log.error("the ledger refused message %d: %s", message.id, reason)
                upto = message.id
        except Undelivered as error:
            return upto, dead, error
        finally:
            line.close()
        return upto, dead, None

    def _work(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                more = self.deliver()
            except Exception as error:
                self._failed(error)
                self._stopping.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1
                continue
            self._recovered()
            failures = 0
            if not more:
                self._wake.wait(IDLE_SECONDS)

    def _failed(self, error: Exception) -> None:
        expected = isinstance(error, Undelivered | StoreError)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        if reason != self.error:
            log.warning("perf delayed: %s", reason, exc_info=None if expected else error)
        self.error = reason

    def _recovered(self) -> None:
        if self.error is not None:
            log.info("the ledger answers again")
        self.error = None


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
