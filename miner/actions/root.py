"""What runs as root for the monitor: restarts the one miner's unit, or gives the power of a stick's port a break.

    python -m miner.actions.root --unit cgminer.service [--port 1-1.4 ...] [--restarts 12] [--cycles 12]

A path unit starts it when the folder of requests is not empty. Whoever may write there can ask by a file's name, and
nothing else: which unit and which ports is on our command line, how often in a day is counted in a file of root's, and
a port that holds anything but a stick is left alone. Standard library only, apart from the table of sticks.

Codes of answers: done, unit missing, unit failed, port not allowed, other device, cannot switch, no uhubctl,
power failed, limit, another boot.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from miner import sticks
from miner.actions import request, uhubctl
from miner.actions.request import Request
from runtime import clock, logs

DAY = 86_400.0
RESTART_SECONDS = 180
CYCLE_SECONDS = 60
RESULTS_KEPT = 50
AT_ONCE = 20
log = logging.getLogger("miner.actions")

Answer = tuple[str, str]
"""A code and a detail."""


class Refused(Exception):
    """Not done: a code and a detail."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.answer = (code, detail)


class Counter:
    """How often each thing was done in the last 24 h, in a file of root's. Moments to come count: a clock was set."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self, what: str, limit: int) -> None:
        """One more. Raises Refused when there were `limit` already."""
        now = clock.now().timestamp()
        done = {key: [at for at in times if at > now - DAY] for key, times in self._read().items()}
        if len(done.get(what, [])) >= limit:
            raise Refused("limit", f"{limit} in 24 h")
        done.setdefault(what, []).append(now)
        _write(self._path, json.dumps(done), 0o600)

    def _read(self) -> dict[str, list[float]]:
        with suppress(OSError, ValueError):
            return {str(k): [float(at) for at in times] for k, times in json.loads(self._path.read_text()).items()}
        return {}


class Root:
    """The requests of one folder, one after the other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._requests, self._results = options.place / "requests", options.place / "results"
        self._counter = Counter(options.place / "counted.json")
        self._boot = request.boot()

    def work(self) -> None:
        """One look: what comes meanwhile makes systemd start us again, and systemd counts that."""
        for path in sorted(self._requests.iterdir())[:AT_ONCE]:
            self._take(path)
        self._prune()

    def _take(self, path: Path) -> None:
        """Removed first: exactly one of the monitor, which may take it back, and us does that."""
        wanted = request.parse(path.name)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        except OSError:  # a directory: nobody asks that way
            shutil.rmtree(path, ignore_errors=True)  # one that cannot be removed is left to systemd's limit
            wanted = None
        if wanted is None:
            log.warning("removed from the requests: %r", path.name[:80])
            return
        code, detail = self._answer(wanted)
        log.info("%s: %s %s", wanted.name, code, detail)
        said = json.dumps({"ok": code == "done", "code": code, "detail": detail})
        _write(self._results / f"{wanted.id}.json", said, 0o644)

    def _answer(self, wanted: Request) -> Answer:
        try:
            if wanted.boot != self._boot:
                raise Refused("another boot")
            return self._cycle(wanted.port) if wanted.port else self._restart()
        except Refused as refused:
            return refused.answer

    def _restart(self) -> Answer:
        unit = self._options.unit
        if _run(["systemctl", "show", "-P", "LoadState", unit], 20)[1].strip() != "loaded":
            raise Refused("unit missing", unit)
        self._counter.take("restart", self._options.restarts)
        _run(["systemctl", "reset-failed", unit], 20)
        status, said = _run(["systemctl", "restart", unit], RESTART_SECONDS)
        return ("unit failed", _short(said)) if status else ("done", unit)

    def _cycle(self, port: str) -> Answer:
        if not request.allowed(port, tuple(self._options.port)):
            raise Refused("port not allowed", port)
        if other := _no_stick(self._options.sysfs / port):
            raise Refused("other device", other)
        program = shutil.which(self._options.uhubctl)
        if program is None:
            raise Refused("no uhubctl", self._options.uhubctl)
        self._counter.take("power", self._options.cycles)
        _, said = _run(uhubctl.cycle(program, port), CYCLE_SECONDS)
        if not uhubctl.switchable(said):
            raise Refused("cannot switch", port)
        return ("done", port) if uhubctl.cycled(said, port) else ("power failed", _short(said))

    def _prune(self) -> None:
        old = sorted(self._results.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-RESULTS_KEPT]
        for path in old:
            path.unlink()


def _no_stick(device: Path) -> str:
    """What a port holds that is no stick; "" when it holds one, or nothing: one that is gone is why we are asked."""
    if not device.exists():
        return ""
    told = {name: _attribute(device / name) for name in ("idVendor", "idProduct", "manufacturer", "product")}
    ids = [int(told[name] or "0", 16) for name in ("idVendor", "idProduct")]
    if sticks.identify(ids[0], ids[1], told["manufacturer"], told["product"]) is not None:
        return ""
    return told["product"] or f"{ids[0]:04x}:{ids[1]:04x}"


def _attribute(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").strip()
    return ""


def _run(command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Exit status and everything printed; what takes longer is ended, with status -1."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"{command[0]} took over {seconds:g} s"
    except OSError as error:
        return -1, str(error)
    return done.returncode, done.stdout


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "w") as out:
        out.write(text)
        os.fchmod(out.fileno(), mode)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="miner.actions.root", description="does what the monitor asked root for")
    parser.add_argument("--place", type=Path, default=Path("/var/lib/miner-actions"))
    parser.add_argument("--unit", default="cgminer.service", help="the only unit that is restarted")
    parser.add_argument("--port", action="append", default=[], help="a port whose power may be cycled, or HUB.*")
    parser.add_argument("--restarts", type=int, default=12, help="in 24 h")
    parser.add_argument("--cycles", type=int, default=12, help="in 24 h")
    parser.add_argument("--uhubctl", default="/usr/sbin/uhubctl")
    parser.add_argument("--sysfs", type=Path, default=Path("/sys/bus/usb/devices"))
    return parser


def main() -> None:
    logs.configure()
    Root(_parser().parse_args()).work()


if __name__ == "__main__":
    main()
