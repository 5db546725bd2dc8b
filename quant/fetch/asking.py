"""Asking an exchange until it answers, or until asking again is no use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quant.errors import ExchangeFailed
from quant.fetch import failure
from quant.fetch.client import THREADS
from quant.fetch.pace import Pace, Stopped

BEFORE_THE_FIRST_ANSWER = 2
"""Retries while the exchange has never answered: a missing network is told in seconds."""
PATIENCE = 900.0
"""Seconds. An exchange that wants a longer pause (a ban) is told, not waited for."""


class Asker:
    """`client` is of quant.fetch.client, `say` takes notes for the person who waits. Any number of threads may ask."""

    def __init__(self, client: Any, pace: Pace, retries: int, say: Callable[[str], None]) -> None:
        self.client, self.pace = client, pace
        self._retries, self._say = retries, say

    def ask(self, method: str, *arguments: Any) -> Any:
        """What ccxt's method gives. Raises ExchangeFailed."""
        attempt = 0
        while True:
            try:
                return getattr(self.client, method)(*arguments)
            except Stopped:
                raise
            except Exception as error:
                self._wait(self._failure(error), attempt, error)
            attempt += 1

    def side_by_side(self) -> int:
        """Requests in flight that keep the pace when an answer takes a second."""
        return min(THREADS, 2 + int(1 / max(self.pace.spacing, 0.01)))

    def _failure(self, error: Exception) -> failure.Failure:
        answer = self.client.answer
        return failure.of(error, answer.status, answer.headers, self.client.timeout / 1000)

    def _wait(self, failed: failure.Failure, attempt: int, error: Exception) -> None:
        patience = self._retries if self.client.reached else min(self._retries, BEFORE_THE_FIRST_ANSWER)
        if not failed.passing or attempt >= patience:
            raise failed.error(self.client.id) from error
        pause = failed.pause(attempt)
        if pause > PATIENCE:
            raise _later(self.client.id, failed, pause) from error
        self._say(f"{self.client.id} {failed.words}: again in {pause:.3g} s")
        if failed.crowded:
            self.pace.hold(pause)
        else:
            self.pace.sleep(pause)


def _later(exchange: str, failed: failure.Failure, pause: float) -> ExchangeFailed:
    return ExchangeFailed(
        f"{exchange} {failed.words}, for {pause / 60:.0f} minutes",
        hint="what was fetched is stored: run the same command afterwards, and it goes on",
    )
