"""When the next request may go out: one pace for all threads."""

from __future__ import annotations

import threading

from runtime import clock

STRETCH = 1.5
MOST = 8.0
EASING = 0.99


class Stopped(Exception):
    """The fetch ends: no more requests."""


class Pace:
    """Requests evenly spaced, so that no window of the exchange's, wherever it begins, sees more than its share.

    When the exchange still says "too many" (others share the address), the spacing grows by half, and eases again with
    each request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._free = 0.0
        self._stretch = 1.0
        self.spacing = 1.0
        """Seconds, of the last request."""

    def wait(self, seconds: float) -> None:
        """Until this request's turn; the next one's is `seconds` later. Raises Stopped."""
        with self._lock:
            turn = max(clock.steady(), self._free)
            self.spacing = seconds * self._stretch
            self._free = turn + self.spacing
            self._stretch = max(1.0, self._stretch * EASING)
        self.sleep(turn - clock.steady())

    def sleep(self, seconds: float) -> None:
        """Raises Stopped, at once when the fetch ends."""
        if self._stop.wait(max(0.0, seconds)):
            raise Stopped

    def hold(self, seconds: float) -> None:
        """Nobody asks anything for `seconds`, and then more slowly."""
        with self._lock:
            self._free = max(self._free, clock.steady() + seconds)
            self._stretch = min(MOST, self._stretch * STRETCH)

    def stop(self) -> None:
        self._stop.set()
