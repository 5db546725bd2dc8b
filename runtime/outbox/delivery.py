"""A thread that delivers what the store holds, at its own pace: what is slow, full or down delays only itself.

A sink says how one batch is delivered; waking, backing off, telling the first failure and the recovery are here.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, TypeVar

from sqlalchemy import Connection

from runtime import clock
from runtime.outbox import failures, terms
from runtime.store import Store, StoreError

T = TypeVar("T")

IDLE_SECONDS = 5.0
SHARED_SECONDS = 2.0  # other processes commit what this one delivers, and cannot wake it
STANDBY_SECONDS = 1.0  # the one that delivers ends without a word
COMMIT_SECONDS = 10.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
YIELD = 40  # times as long as a batch took: TradingView hangs up after 3 s, a log book waits
YIELD_SECONDS = 2.0  # at most
NOTE_SECONDS = 60.0  # how often the store is told of attempts that fail as the one before


class Deliverer(ABC):
    """`error` says why the last attempt failed, or None. `deliver` MUST be given and be safe to call again.

    The store is told of it too, for those who ask from outside; but not when the store is what fails.
    """

    name: ClassVar[str]
    """What is delayed, as the log and the table `outbox` name it."""
    log: ClassVar[logging.Logger]
    expected: ClassVar[tuple[type[Exception], ...]]
    """Failures that belong to the sink's life; any other is a fault and is logged with its traceback."""
    delayed: ClassVar[int] = logging.ERROR
    recovered: ClassVar[str]
    gather: ClassVar[float] = 0.0
    """Seconds to wait between two full batches."""
    patience: ClassVar[float] = 2.0
    """Seconds that stopping waits for the batch under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pressed: Callable[[], bool] = bool
        """Whether alerts come fast just now, so that what can wait should; False unless somebody knows better."""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self.error: str | None = None
        self.tried = threading.Event()
        """Set once the first attempt is over, however it went, and the store was told of it."""
        self.standby = False
        """Another process delivers to the sink; this one takes over when that one ends."""
        self._lease: int | None = None
        self._term = 0
        self._idle = SHARED_SECONDS if store.leases.shared else IDLE_SECONDS
        self._untold = 0  # attempts that failed since the store was told
        self._told_at: float | None = None
        self._told_well = False

    @abstractmethod
    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises one of `expected`, with nothing lost."""

    @property
    def alive(self) -> bool:
        """False: its thread has ended, and only a new process delivers again."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the store."""
        self._wake.set()

    def stop(self) -> None:
        """What is not delivered waits in the store for the next start."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(self.patience)

    def _commit(self, write: Callable[[Connection], T]) -> T:
        """The write's result once it is durable. Raises StoreError, also when another process has taken over."""
        return self._submit(lambda connection: self._fenced(connection, write))

    def _fenced(self, connection: Connection, write: Callable[[Connection], T]) -> T:
        if terms.current(connection, self.name) != self._term:
            self._lease = None
            raise StoreError(f"another process delivers to {self.name} now")
        return write(connection)

    def _submit(self, write: Callable[[Connection], T]) -> T:
        try:
            return self._store.submit(write).result(COMMIT_SECONDS)
        except TimeoutError:
            raise StoreError(f"no commit within {COMMIT_SECONDS:g} s") from None

    def _work(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            began = clock.steady()
            try:
                if not self._leads():
                    self.tried.set()
                    self._stopping.wait(STANDBY_SECONDS)
                    continue
                more = self.deliver()
            except Exception as error:
                self._failed(error)
                self.tried.set()
                self._stopping.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1
                continue
            self._recovered()
            self.tried.set()
            failures = 0
            if not more:
                self._wake.wait(self._idle)
            else:
                self._rest(clock.steady() - began)

    def _rest(self, took: float) -> None:
        """Let others work between two batches: while alerts keep coming, a sink has a small share of the time."""
        seconds = max(self.gather, took * YIELD) if self.pressed() else self.gather
        if seconds:
            self._stopping.wait(min(seconds, max(self.gather, YIELD_SECONDS)))

    def _leads(self) -> bool:
        """Whether this process holds the sink's lease. Taken anew, it ends the term of whoever had it before."""
        lease = self._store.leases.hold(self.name)
        if lease is not None and lease != self._lease:
            self._term = self._submit(lambda connection: terms.begin(connection, self.name))
            self.log.info("%s: this process delivers", self.name)
        self._lease, self.standby = lease, lease is None
        if self.standby:
            self.error = None
        return not self.standby

    def _failed(self, error: Exception) -> None:
        is_expected = isinstance(error, self.expected)
        reason = str(error) if is_expected else f"{type(error).__name__}: {error}"
        if reason != self.error:
            self.log.log(self.delayed, "%s delayed: %s", self.name, reason, exc_info=None if is_expected else error)
        changed, self.error = reason != self.error, reason
        self._untold += 1
        if not isinstance(error, StoreError) and (changed or self._told_long_ago()):
            self._tell_failure(reason)

    def _told_long_ago(self) -> bool:
        return self._told_at is None or clock.steady() - self._told_at >= NOTE_SECONDS

    def _tell_failure(self, reason: str) -> None:
        attempts, now = self._untold, clock.iso(clock.now())
        with suppress(StoreError):
            self._commit(lambda connection: failures.failed(connection, self.name, reason, attempts, now))
            self._untold, self._told_at, self._told_well = 0, clock.steady(), False

    def _recovered(self) -> None:
        if self.error is not None:
            self.log.info(self.recovered)
        self.error, self._untold = None, 0
        if not self._told_well:  # also once after a start: the process before may have ended while it failed
            with suppress(StoreError):
                self._commit(lambda connection: failures.recovered(connection, self.name))
                self._told_well = True
