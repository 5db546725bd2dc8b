"""cgminer's API on a real socket: replies as api.c and driver-gekko.c make them, with switches for what goes wrong.

Source: https://github.com/ckolivas/cgminer/blob/master/API-README, api.c, driver-gekko.c (compac_api_stats,
compac_api_set). One request a connection, JSON in, JSON and a NUL byte out.

In a thread: `with Cgminer(sticks=[Stick("10042")]) as miner: ... miner.unplug("10042")`.
As a program: `python -m tests.fakes.cgminer --port 4028 --sticks 20`; each line on stdin is one of its methods with its
arguments (`unplug 10001`, `replug 10001`, `hang`, `release`, `stop`, `start`), answered with `ok`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socketserver
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.listen import end, serve

DENIED, INVALID, NO_ASC, NO_DEVICE = 45, 14, 107, 10
CORES = {"GSC": 55, "GSD": 55, "GSE": 55, "GSH": 114, "GSI": 114, "GSF": 672, "GSA": 512}
Row = dict[str, Any]


@dataclass
class Stick:
    """A stick as cgminer sees it. `share`: hashrate of what its frequency promises. `mhz`: lower than `asked` after a
    plateau. `silent`: its chips give no nonces."""

    serial: str
    name: str = "GSF"
    asked: float = 400.0
    chips: int = 1
    share: float = 0.78
    temperature: float = 0.0
    mhz: float = 0.0
    asc: int = 0
    id: int = 0
    gone: bool = False
    enabled: bool = True
    silent: bool = False
    resets: int = 0
    hw_errors: int = 0
    accepted: int = 0
    rejected: int = 0
    since: float = field(default_factory=time.time)
    lost: float = 0.0

    def __post_init__(self) -> None:
        self.mhz = self.mhz or self.asked
        self.target = self.mhz

    @property
    def ghs(self) -> float:
        idle = self.silent or self.gone or not self.enabled
        return 0.0 if idle else self.chips * CORES.get(self.name, 55) * self.mhz / 1000 * self.share


@dataclass
class Pool:
    url: str = "stratum+tcp://pool.example.org:3333"
    user: str = "1BitcoinAddress.worker"
    status: str = "Alive"
    active: bool = True
    accepted: int = 0
    rejected: int = 0
    stale: int = 0


@dataclass
class Cgminer:
    """`slow`: seconds before an answer. `trickle`: bytes sent at a time, with a pause after each. `cut`: close after so
    many bytes. `nan`: numbers that cannot be reckoned come as nan and inf. `commas`: False sends `}{`. `nul`: False
    sends no NUL. `garbage`: sent instead of an answer. `writable`: whether --api-allow has W: for us."""

    host: str = "127.0.0.1"
    port: int = 0
    sticks: list[Stick] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=lambda: [Pool()])
    slow: float = 0.0
    trickle: int = 0
    cut: int = 0
    nan: bool = False
    commas: bool = True
    nul: bool = True
    garbage: bytes | None = None
    writable: bool = True
    log_interval: int = 5
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.began = time.time()
        self.best_share = 123456
        self._order = list(range(len(self.pools)))
        self._hanging = threading.Event()
        self._released = threading.Event()
        self._server: _Server | None = None
        self._next: dict[str, int] = {}
        self._next_asc = 0
        for stick in self.sticks:
            self._number(stick)

    def __enter__(self) -> Cgminer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Cgminer:
        """Listen; on the same port as before, once it had one."""
        self._server = _Server((self.host, self.port), _Handler)
        self._server.miner = self
        self.port = serve(self._server)
        return self

    def stop(self) -> None:
        """Nobody listens: cgminer does not run, or has no living pool yet."""
        server, self._server = self._server, None
        if server is not None:
            self.release()
            end(server)

    def restart(self) -> None:
        """A new process: numbers begin again, gone sticks are forgotten."""
        self.stop()
        with self.lock:
            self.began, self._next, self._next_asc = time.time(), {}, 0
            self.sticks = [stick for stick in self.sticks if not stick.gone]
            for stick in self.sticks:
                self._number(stick)
        self.start()

    def hang(self) -> None:
        """Connections are accepted and never answered."""
        self._released.clear()
        self._hanging.set()

    def release(self) -> None:
        self._hanging.clear()
        self._released.set()

    def unplug(self, serial: str) -> None:
        """`devs` says Enabled N and No Device, and Status goes on saying Alive."""
        with self.lock:
            stick = self.stick(serial)
            stick.gone, stick.enabled, stick.lost = True, False, time.time()

    def replug(self, serial: str) -> Stick:
        """A new row with new numbers, beside the old one."""
        with self.lock:
            old = next(one for one in reversed(self.sticks) if one.serial == serial)
            return self.plug(Stick(serial, old.name, old.asked, old.chips, old.share))

    def plug(self, stick: Stick | str) -> Stick:
        with self.lock:
            added = stick if isinstance(stick, Stick) else Stick(stick)
            self._number(added)
            self.sticks.append(added)
            return added

    def drop(self, serial: str, mhz: float | str) -> None:
        """An "asic plateau": the driver lowers the frequency, and what it tries for."""
        with self.lock:
            stick = self.stick(serial)
            stick.mhz = stick.target = float(mhz)

    def silence(self, serial: str) -> None:
        self.stick(serial).silent = True

    def stick(self, serial: str) -> Stick:
        return next(one for one in self.sticks if one.serial == serial and not one.gone)

    def _number(self, stick: Stick) -> None:
        stick.asc, stick.id = self._next_asc, self._next.get(stick.name, 0)
        self._next_asc += 1
        self._next[stick.name] = stick.id + 1

    def answer(self, request: bytes) -> bytes:
        with self.lock:
            try:
                asked = json.loads(request)
                command, parameter = str(asked["command"]), str(asked.get("parameter", ""))
            except (ValueError, KeyError, TypeError):
                return self._text(_status("E", 24, "Invalid JSON") | {"id": 1})
            self.requests.append(f"{command}|{parameter}" if parameter else command)
            if "+" not in command:
                return self._text(self._one(command, parameter) | {"id": 1})
            parts = {name: [self._one(name, "") | {"id": 1}] for name in command.split("+")}
            return self._text({**parts, "id": 1})

    def _one(self, command: str, parameter: str) -> Row:
        handler = getattr(self, f"_do_{command}", None)
        if handler is None:
            return _status("E", INVALID, "Invalid command")
        if command in CHANGES and not self.writable:
            return _status("E", DENIED, f"Access denied to '{command}' command")
        return dict(handler(parameter))

    def _do_version(self, _: str) -> Row:
        return _status("S", 22, "CGMiner versions") | {"VERSION": [{"CGMiner": "4.13.4", "API": "3.7"}]}

    def _do_config(self, _: str) -> Row:
        row = {"ASC Count": len(self.sticks), "PGA Count": 0, "Pool Count": len(self.pools), "Strategy": "Failover"}
        row |= {"Log Interval": self.log_interval, "Device Code": "GSX ", "OS": "Linux", "Hotplug": 5}
        return _status("S", 33, "CGMiner config") | {"CONFIG": [row]}

    def _do_summary(self, _: str) -> Row:
        mhs = sum(stick.ghs for stick in self.sticks) * 1000
        totals = {key: sum(getattr(one, key) for one in self.sticks) for key in ("accepted", "rejected", "hw_errors")}
        row = {"Elapsed": int(time.time() - self.began), **self._mhs(mhs), "Found Blocks": 0, "Getworks": 12}
        row |= {"Accepted": totals["accepted"], "Rejected": totals["rejected"], "Utility": self._odd(4.5)}
        row |= {"Hardware Errors": totals["hw_errors"], "Discarded": 20, "Stale": sum(p.stale for p in self.pools)}
        row |= {"Get Failures": 0, "Local Work": 900, "Remote Failures": 0, "Network Blocks": 1, "Total MH": mhs * 60}
        row |= {"Work Utility": 3000.0, "Difficulty Accepted": 1000.0, "Best Share": self.best_share}
        row |= {"Device Hardware%": self._odd(0.1), "Device Rejected%": self._odd(0.0), "Pool Rejected%": 0.0}
        row |= {"Pool Stale%": 0.0, "Last getwork": int(time.time())}
        return _status("S", 11, "Summary") | {"SUMMARY": [row]}

    def _do_devs(self, _: str) -> Row:
        if not self.sticks:
            return _status("E", NO_DEVICE, "No ASCs")
        return _status("S", 9, f"{len(self.sticks)} ASC(s)") | {"DEVS": [self._dev(stick) for stick in self.sticks]}

    def _dev(self, stick: Stick) -> Row:
        last = int(time.time()) if stick.accepted else 0
        row = {"ASC": stick.asc, "Name": stick.name, "ID": stick.id, "Enabled": "Y" if stick.enabled else "N"}
        row |= {"Status": "Alive", "Temperature": stick.temperature, **self._mhs(stick.ghs * 1000)}
        row |= {"Accepted": stick.accepted, "Rejected": stick.rejected, "Hardware Errors": stick.hw_errors}
        row |= {"Utility": 0.0, "Last Share Pool": 0, "Last Share Time": last, "Total MH": 1.0, "Diff1 Work": 10}
        row |= {
            "Last Share Difficulty": 512.0,
            "No Device": stick.gone,
            "Last Valid Work": int(stick.lost or time.time()),
        }
        return row | {
            "Device Hardware%": 0.0,
            "Device Rejected%": 0.0,
            "Device Elapsed": int(time.time() - stick.since),
        }

    def _do_pools(self, _: str) -> Row:
        rows = [self._pool(at, pool) for at, pool in enumerate(self.pools)]
        return _status("S", 7, f"{len(rows)} Pool(s)") | {"POOLS": rows} if rows else _status("E", 8, "No pools")

    def _pool(self, at: int, pool: Pool) -> Row:
        row = {"POOL": at, "URL": pool.url, "Status": pool.status, "Priority": self._order.index(at), "Quota": 1}
        row |= {"Long Poll": "N", "Getworks": 10, "Accepted": pool.accepted, "Rejected": pool.rejected}
        row |= {"Stale": pool.stale, "User": pool.user, "Last Share Time": int(time.time()), "Has Stratum": True}
        row |= {"Stratum Active": pool.active and pool.status == "Alive", "Stratum URL": "pool.example.org"}
        return row | {"Stratum Difficulty": 512.0, "Best Share": 4242, "Current Block Height": 880000}

    def _do_stats(self, _: str) -> Row:
        rows = [{"STATS": at, **self._detail(stick)} for at, stick in enumerate(self.sticks)]
        pools = [
            {"STATS": len(rows) + at, "ID": f"POOL{at}", "Elapsed": 60, "Calls": 0} for at in range(len(self.pools))
        ]
        return _status("S", 70, "CGMiner stats") | {"STATS": [*rows, *pools]}

    def _detail(self, stick: Stick) -> Row:
        row: Row = {
            "ID": f"{stick.name}{stick.id}",
            "Elapsed": 60,
            "Calls": 0,
            "Wait": 0.0,
            "Max": 0.0,
            "Min": 99999999.0,
        }
        if stick.gone:
            return row  # the driver has no device to ask
        row |= {"Serial": stick.serial, "Nonces": 1000, "Accepted": 990, "TasksPerSec": 12.0, "TicketOK": True}
        row |= {"GHGHs": self._odd(stick.ghs), "Require": 0.65, "RequireGH": self._promised(stick) * 0.65}
        row |= {"JobsAvgms": "500.00/501.00", "Resets": stick.resets, "Frequency": stick.mhz, "FreqComp": 0.0}
        row |= {"FreqReq": stick.target, "FreqStart": 200.0, "FreqSel": stick.asked, "Dups": 0, "Chips": stick.chips}
        row |= {"FreqLocked": False, "USBProp": 1000}
        return row | ({"HasTelemetry": True, "Temp": stick.temperature or -999.0} if stick.name == "GSA" else {})

    def _promised(self, stick: Stick) -> float:
        return stick.chips * CORES.get(stick.name, 55) * stick.mhz / 1000

    def _do_switchpool(self, parameter: str) -> Row:
        if (at := self._pool_at(parameter)) is None:
            return _status("E", 26, f"Invalid pool id {parameter}")
        self._order.remove(at)
        self._order.insert(0, at)
        if self.pools[at].status == "Disabled":
            self.pools[at].status = "Alive"
        return _status("S", 27, f"Switching to pool {at}:'{self.pools[at].url}'")

    def _do_enablepool(self, parameter: str) -> Row:
        if (at := self._pool_at(parameter)) is None:
            return _status("E", 26, f"Invalid pool id {parameter}")
        if self.pools[at].status != "Disabled":
            return _status("I", 49, f"Pool {at}:'{self.pools[at].url}' already enabled")
        self.pools[at].status = "Alive"
        return _status("S", 47, f"Enabling pool {at}:'{self.pools[at].url}'")

    def _do_disablepool(self, parameter: str) -> Row:
        if (at := self._pool_at(parameter)) is None:
            return _status("E", 26, f"Invalid pool id {parameter}")
        if sum(pool.status != "Disabled" for pool in self.pools) < 2:
            return _status("E", 51, "Cannot disable last active pool")
        self.pools[at].status = "Disabled"
        return _status("S", 48, f"Disabling pool {at}:'{self.pools[at].url}'")

    def _do_poolpriority(self, parameter: str) -> Row:
        first = [int(word) for word in parameter.split(",")]
        self._order = first + [at for at in self._order if at not in first]
        return _status("S", 73, "Changed pool priorities")

    def _pool_at(self, parameter: str) -> int | None:
        return int(parameter) if parameter.isdigit() and int(parameter) < len(self.pools) else None

    def _do_ascset(self, parameter: str) -> Row:
        number, option, value = ([*parameter.split(","), "", ""])[:3]
        stick = next((one for one in self.sticks if str(one.asc) == number and not one.gone), None)
        if stick is None:
            return _status("E", NO_ASC, f"Invalid ASC id {number}")
        if option == "freq":
            stick.mhz = float(value)
        elif option == "target":
            stick.target = float(value)
        elif option == "reset":
            stick.resets += 1
        else:
            return _status("E", 120, f"ASC {number} set failed: Unknown option: {option}")
        return _status("S", 119, f"ASC {number} set OK")

    def _do_ascenable(self, parameter: str) -> Row:
        return self._able(parameter, True)

    def _do_ascdisable(self, parameter: str) -> Row:
        return self._able(parameter, False)

    def _able(self, parameter: str, enabled: bool) -> Row:
        stick = next((one for one in self.sticks if str(one.asc) == parameter), None)
        if stick is None:
            return _status("E", NO_ASC, f"Invalid ASC id {parameter}")
        stick.enabled = enabled
        return _status("S", 120, f"ASC {parameter} {'enabled' if enabled else 'disabled'}")

    def _mhs(self, mhs: float) -> Row:
        spans = (f"{self.log_interval}s", "1m", "5m", "15m")
        return {"MHS av": self._odd(round(mhs, 2)), **{f"MHS {span}": round(mhs, 2) for span in spans}}

    def _odd(self, value: float) -> float:
        return float("nan") if self.nan else value

    def _text(self, content: Row) -> bytes:
        said = (
            json.dumps(content).replace("NaN", "-nan" if len(self.requests) % 2 else "nan").replace("Infinity", "inf")
        )
        if not self.commas:
            said = re.sub(r"\}, \{", "}{", said)
        return said.encode() + (b"\0" if self.nul else b"")

    def serve(self, request: bytes, send: Any) -> None:
        if self._hanging.is_set():
            self._released.wait(600)
            return
        time.sleep(self.slow)
        said = self.answer(request) if self.garbage is None else self.garbage
        said = said[: self.cut] if self.cut else said
        size = self.trickle or len(said) or 1
        for at in range(0, len(said), size):
            send(said[at : at + size])
            if self.trickle:
                time.sleep(0.002)


CHANGES = frozenset({"switchpool", "enablepool", "disablepool", "poolpriority", "ascset", "ascenable", "ascdisable"})


def _status(kind: str, code: int, message: str) -> Row:
    row = {"STATUS": kind, "When": int(time.time()), "Code": code, "Msg": message, "Description": "cgminer 4.13.4"}
    return {"STATUS": [row]}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    miner: Cgminer

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that gives up leaves half an exchange


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        request = self.request.recv(8192)
        self.server.miner.serve(request, self.request.sendall)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4028)
    parser.add_argument("--sticks", type=int, default=1)
    given = parser.parse_args()
    miner = Cgminer(given.host, given.port, [Stick(str(10001 + at)) for at in range(given.sticks)]).start()
    sys.stdout.write(f"ready on {miner.host}:{miner.port}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name, *words = line.split()
        with contextlib.suppress(StopIteration):
            getattr(miner, name)(*words)
        sys.stdout.write("ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
