"""How `./inv miner.*` shows people what it found, and what to do about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from ops.report import WIDTH

Json = dict[str, Any]
STATES = {
    "ok": "mining", "slow": "slow", "silent": "no hashes", "disabled": "disabled", "not_mined": "not mined",
    "no_permission": "no permission", "missing": "unplugged", "unknown": "unknown",
}  # fmt: skip
STYLES = {
    "mining": "green", "slow": "yellow", "not mined": "yellow", "no hashes": "red", "disabled": "red",
    "no permission": "bold red", "unplugged": "bold red",
    "Alive": "green", "Dead": "bold red", "Disabled": "dim", "Rejecting": "red",
}  # fmt: skip


USABLE = {True: "yes", False: "NO: not of group plugdev", None: "-"}


def out(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def advice(found: Json) -> list[str]:
    """What keeps it from mining, each with the command that helps. Pure."""
    host = f"--host {found['host']}"
    if found["unit"]["active"] not in ("active", "reloading"):
        gave_up = found["unit"]["active"] == "activating"
        words = "gave up, and starts again: no pool answered" if gave_up else "does not run"
        todo = f"./inv miner.logs {host} says which" if gave_up else f"./inv miner.start {host}"
        return [f"cgminer {words}: {todo}"]
    told = {
        "down": f"no pool has answered yet, until then there is no API: ./inv miner.logs {host}",
        "slow": f"cgminer hangs: ./inv miner.restart {host}",
        "strange": f"what answers is no cgminer, or refuses us (setting api_allow): {found['why']}",
    }
    if found["api"] in told:
        return [told[found["api"]]]
    return [*_pools_wrong(found, host), *_sticks_wrong(found, host)]


def _pools_wrong(found: Json, host: str) -> Iterable[str]:
    if not any(pool["status"] == "Alive" for pool in found["pools"]):
        yield f"no pool is alive: check the setting pools of the role miner, and ./inv miner.pools {host}"


def _sticks_wrong(found: Json, host: str) -> Iterable[str]:
    for stick in found["sticks"]:
        name = f"{stick['model']} {stick['key']}"
        if stick["status"] == "no_permission":
            yield f"{name} may not be opened: ./inv deploy --role miner {host} writes the rule; then plug it in again"
        elif stick["status"] == "missing":
            yield f"{name} is gone: plug it in again; cgminer takes it back within seconds"
        elif stick["status"] == "disabled":
            yield f"{name} was given up after vain starts: check its power, then ./inv miner.restart {host}"
    if not any(stick["present"] for stick in found["sticks"]):
        yield f"no stick is plugged in: ./inv miner.detect {host} shows what the host sees"


def detected(found: Json) -> None:
    if not found["sticks"]:
        where = found["host"] or "this machine"
        out(f"{where}: no stick is plugged in (lsusb shows what is; a hub without power shows nothing)")
    else:
        titles = ("type", "serial", "port", "driver", "GH/s", "MHz", "in use by", "usable")
        rows = [
            (s["type"], s["serial"] or "-", s["port"], s["driver"] or "-", f"{s['expected_ghs']:.1f}", f"{s['mhz']:g}",
             s["in_use_by"] or "nobody", USABLE[s["usable"]])
            for s in found["sticks"]
        ]  # fmt: skip
        _print(_table(titles, rows, right=(4, 5)))
    for other in found["ignored"]:
        name = " ".join(filter(None, (other["manufacturer"], other["product"]))) or "without a name"
        out(f"port {other['port']}: {name} shares its numbers with a stick, and is none")


def status(found: Json) -> None:
    _print(_screen(found))


def live(look: Callable[[], Json], every: float) -> None:
    """Until Ctrl-C."""
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(_screen(look()), console=_console(), auto_refresh=False) as shown:
        while True:
            time.sleep(every)
            shown.update(_screen(look()), refresh=True)


def _screen(found: Json) -> Any:
    from rich.console import Group
    from rich.text import Text

    parts = [Text(_headline(found), "bold")]
    if found["sticks"]:
        parts.append(_sticks(found["sticks"]))
    if found["pools"]:
        parts.append(_pools(found["pools"]))
    parts += [Text(f"  -> {line}", "yellow") for line in found["advice"]]
    return Group(*parts)


def _headline(found: Json) -> str:
    total, unit = found["total"], found["unit"]
    head = f"{found['host']}: cgminer {unit['active']} ({found['build'] or 'not built'})"
    if total["ghs"] is None:
        return f"{head}, {found['why'] or 'no figures'}"
    power = f" at {total['watts']:g} W ({total['ghs_per_watt']:g} GH/s a watt)" if total["watts"] else ""
    promised = f" of {total['expected_ghs']:.1f}" if total["expected_ghs"] else ""
    shares = f"shares {_n(total['accepted'])}, {_n(total['rejected'])} rejected, {_n(total['stale'])} stale"
    best = f"best share {_n(total['best_share'])}"
    return f"{head}, {total['ghs']:.1f}{promised} GH/s{power}, {shares}, {best}, up {_span(total['uptime_s'])}"


def _sticks(sticks: Sequence[Json]) -> Any:
    titles = ("stick", "serial", "port", "status", "GH/s", "of", "MHz", "asked", "HW", "resets", "°C")
    rows = [
        (s["model"], s["serial"] or "-", s["port"] or "-", STATES[s["status"]], _f(s["ghs"]), _f(s["expected_ghs"]),
         _n(s["mhz"]), _n(s["mhz_asked"]), _n(s["hw_errors"]), _n(s["resets"]), _n(s["temperature_c"]))
        for s in sticks
    ]  # fmt: skip
    return _table(titles, rows, right=range(4, 11))


def _pools(pools: Sequence[Json]) -> Any:
    titles = ("pool", "url", "user", "status", "priority", "accepted", "rejected", "stale")
    rows = [
        (str(p["number"]), p["url"], p["user"], p["status"] or "?", *(_n(p[key]) for key in titles[4:])) for p in pools
    ]
    return _table(titles, rows, right=range(4, 8))


def pools(found: Json) -> None:
    if found["said"]:
        out(f"{found['host']}: {found['said']}")
    _print(_pools(found["pools"]))


def frequency(found: Json) -> None:
    line = f"{found['host']}: stick {found['serial']} runs at {_n(found['mhz'])} MHz, before {_n(found['before_mhz'])}"
    out(f"{line}; after a restart it is the setting `frequency` again")


def measured(found: Json) -> None:
    titles = ("stick", "MHz", "GH/s", "promised", "ratio")
    rows = [
        (r["serial"] or "-", _n(r["mhz"]), _f(r["ghs"]), _f(r["expected_ghs"]), _n(r["ratio"])) for r in found["rows"]
    ]
    _print(_table(titles, rows, right=range(1, 5)))


def forgotten(found: Json) -> None:
    out(f"{found['host']}: {found['stick']} is not missed any more; plugged in again, it is known again")


def rolled_back(found: Json) -> None:
    out(f"{found['host']}: runs {found['current']} again, instead of {found['before']}")
    out("the next deploy goes forward again, unless you set ref (role miner) to what this build was made from")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, title in enumerate(titles):
        table.add_column(title, justify="right" if at in set(right) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(word, STYLES.get(word, "")) for word in row))
    return table


def _console() -> Any:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else WIDTH)


def _print(what: Any) -> None:
    _console().print(what)


def _n(value: float | None) -> str:
    """A whole number without its point."""
    return "-" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _f(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _span(seconds: float | None) -> str:
    days, rest = divmod(int(seconds or 0), 86400)
    return f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"
