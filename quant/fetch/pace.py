"""When the next request may go out: one pace for all threads."""

from __future__ import annotations

import threading

from runtime import clock

STRETCH = 1.2
MOST = 8.0
EASING = 0.99
ONE_WAVE = 1.0
"""Seconds: several answers "too many" in this time are one, of requests that were under way together."""


class Stopped(Exception):
    """The fetch ends: no more requests."""


class Pace:
    """Requests evenly spaced, so that no window of the exchange's, wherever it begins, sees more than its share.

    Threads stand in a line, so a pause counts for all that have not gone out. When the exchange says "too many" (others
    share the address) the spacing grows by a fifth, and eases again with each request.
    """

    def __init__(self) -> None:
        self._line, self._lock = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._free = 0.0
        self._stretch, self._stretched = 1.0, -ONE_WAVE
        self.spacing = 1.0
        """Seconds, of the last request."""

    def wait(self, seconds: float, slack: float = 0.0) -> None:
        """Until this request's turn; the next one's is `seconds` later. Who comes up to `slack` too late is followed by
        the next in time, or delays would add up. Raises Stopped.
        """
        with self._line:
            while (left := self._free - clock.steady()) > 0:
                self.sleep(left)
            self.sleep(0)
            with self._lock:
                self.spacing = seconds * self._stretch
                self._free = max(self._free, clock.steady() - slack) + self.spacing
                self._stretch = max(1.0, self._stretch * EASING)

    def sleep(self, seconds: float) -> None:
        """Raises Stopped, at once when the fetch ends."""
        if self._stop.wait(seconds) if seconds > 0 else self._stop.is_set():
            raise Stopped

    def hold(self, seconds: float) -> None:
        """Nobody asks anything for `seconds`, and then more slowly."""
        with self._lock:
            now = clock.steady()
            self._free = max(self._free, now + seconds)
            if now - self._stretched >= ONE_WAVE:
                self._stretch, self._stretched = min(MOST, self._stretch * STRETCH), now

    def stop(self) -> None:
        self._stop.set()
