"""The monitor's side of what only root may do: leaves a request, waits for its answer. See `miner.actions.root`."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from miner.actions import request
from miner.actions.request import Request
from runtime import clock

PLACE = Path("/var/lib/miner-actions")
UNIT = "cgminer.service"
UNITS = tuple(
    Path(name)
    for name in ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system")
)
"""Where systemd looks for units (systemd.unit(5)). Root's side asks systemd itself."""
TAKEN_S = 20.0
"""A request that nobody took for so long is taken back: it must not be done when nobody expects it any more."""
DONE_S = 240.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Done:
    """`code`: see `miner.actions.root`, or "not taken" and "no answer". `detail` is in English, for a log or a page."""

    ok: bool
    code: str
    detail: str = ""


class Hand:
    """One folder for requests, which we may write, and one for answers, which only root may."""

    def __init__(
        self, place: Path = PLACE, units: Iterable[Path] = UNITS, *, taken_s: float = TAKEN_S, done_s: float = DONE_S
    ) -> None:
        self._requests, self._results = place / "requests", place / "results"
        self._units = tuple(units)
        self._taken_s, self._done_s = taken_s, done_s

    def ready(self) -> bool:
        """Whether the folder is there and ours to write in: the role that makes it is on this host."""
        return os.access(self._requests, os.W_OK | os.X_OK)

    def has_miner(self) -> bool:
        """Whether there is a unit that could be restarted."""
        return any((folder / UNIT).exists() for folder in self._units)

    def new_id(self) -> str:
        return f"{request.boot()}-{secrets.token_hex(6)}"

    async def do(self, wanted: Request) -> Done:
        """Leaves the request and waits for the answer. Raises OSError when it cannot be left."""
        asked = self._requests / wanted.name
        os.close(os.open(asked, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        begun = clock.steady()
        while clock.steady() - begun < self._done_s:
            if (found := self.result(wanted.id)) is not None:
                return found
            if clock.steady() - begun > self._taken_s and self.withdraw(wanted):
                return Done(False, "not taken")
            await asyncio.sleep(LOOK_S)
        return Done(False, "no answer")

    def result(self, id: str) -> Done | None:
        """The answer to a request, if it has come. Only root writes there, whole or not at all."""
        try:
            said = json.loads((self._results / f"{id}.json").read_text())
            return Done(bool(said["ok"]), str(said["code"]), str(said["detail"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def withdraw(self, wanted: Request) -> bool:
        """Takes a request back; False when root has it already. Exactly one of the two removes the file."""
        with suppress(FileNotFoundError):
            (self._requests / wanted.name).unlink()
            return True
        return False
