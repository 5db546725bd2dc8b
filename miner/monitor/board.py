"""What was measured last. Collectors write whenever they are done; each cycle takes what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from miner.readings import METRICS, Reading

Key = tuple[str, str]
_SWITCHES = frozenset(name for name, metric in METRICS.items() if metric.unit == "bool")


class Board:
    """Belongs to the event loop. `urgent` is called when something that is either so or not has changed, and when the
    next look says that it is still wrong: rules that wait for a second look get it at once.
    """

    def __init__(self, urgent: Callable[[], None] = lambda: None) -> None:
        self.latest: dict[Key, Reading] = {}
        self._fresh: dict[Key, Reading] = {}
        self._changed: set[Key] = set()  # by the last look
        self._urgent = urgent

    def put(self, readings: Iterable[Reading]) -> None:
        hurry = False
        for one in readings:
            key = (one.metric, one.target)
            if one.metric in _SWITCHES:
                hurry |= self._hurries(key, one)
            self.latest[key] = self._fresh[key] = one
        if hurry:
            self._urgent()

    def _hurries(self, key: Key, one: Reading) -> bool:
        before = self.latest.get(key)
        if before is not None and before.value != one.value:
            self._changed.add(key)
            return True
        if key not in self._changed:
            return False
        self._changed.discard(key)
        return one.value == 0

    def take(self) -> tuple[Reading, ...]:
        """What came since the last call."""
        taken, self._fresh = tuple(self._fresh.values()), {}
        return taken

    def forget(self, target: str, metrics: str) -> None:
        """Nothing is known any more of `target` in metrics that begin so: it is no longer looked for."""
        for key in [key for key in self.latest if key[1] == target and key[0].startswith(metrics)]:
            del self.latest[key]
            self._fresh.pop(key, None)

    def value(self, metric: str, target: str = "") -> float | None:
        found = self.latest.get((metric, target))
        return found.value if found else None
