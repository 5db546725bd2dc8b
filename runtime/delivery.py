"""A thread that delivers what the store holds, at its own pace: what is slow, full or down delays only itself.

A sink says how one batch is delivered; waking, backing off, telling the first failure and the recovery are here.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

from sqlalchemy import Connection

from runtime.store import Store, StoreError

T = TypeVar("T")

IDLE_SECONDS = 5.0
COMMIT_SECONDS = 10.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Deliverer(ABC):
    """`error` says why the last attempt failed, or None. `deliver` MUST be given and be safe to call again."""

    name: ClassVar[str]
    """What is delayed, as the log names it."""
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
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self.error: str | None = None

    @abstractmethod
    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises one of `expected`, with nothing lost."""

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
        """The write's result once it is durable. Raises StoreError."""
        try:
            return self._store.submit(write).result(COMMIT_SECONDS)
        except TimeoutError:
            raise StoreError(f"no commit within {COMMIT_SECONDS:g} s") from None

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
            elif self.gather:
                self._stopping.wait(self.gather)

    def _failed(self, error: Exception) -> None:
        is_expected = isinstance(error, self.expected)
        reason = str(error) if is_expected else f"{type(error).__name__}: {error}"
        if reason != self.error:
            self.log.log(self.delayed, "%s delayed: %s", self.name, reason, exc_info=None if is_expected else error)
        self.error = reason

    def _recovered(self) -> None:
        if self.error is not None:
            self.log.info(self.recovered)
        self.error = None
