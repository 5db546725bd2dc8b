"""The screen of `./inv status`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from ops.report import WIDTH

if TYPE_CHECKING:
    from ops.deploy import HostResult


def show_status(results: Sequence[HostResult], out: TextIO | None = None) -> None:
    """For each host: what runs, since when, how it answers, what was last deployed by whom, and how full it is."""
    from rich.console import Console

    stream = out or sys.stdout
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
    for result in results:
        if result.error:
            console.print(f"error: {result.error}", style="bold red", markup=False)
            continue
        console.print(_headline(result), markup=False, style="bold")
        console.print(_units(result.end["units"]))
        for check in result.end["checks"]:
            style = "green" if check["result"] == "ok" else "bold red"
            console.print(f"  {check['result']:<7} {check['name']}", style=style, markup=False)
            if check["result"] != "ok":
                console.print(f"          {check['why']}", markup=False)
        for name, line, is_well in _told(result.end["told"]):
            console.print(f"  {name:<10} {line}", style="" if is_well else "bold red", markup=False)
        for name, url in result.urls.items():
            console.print(f"  {name:<10} {url}", markup=False)


def _told(told: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """(name, line, whether it is well) of what services tell of themselves in files; another release may say less."""
    if tunnel := told.get("tunnel"):
        kind, state, why, hint = (tunnel.get(key) or "" for key in ("kind", "state", "why", "hint"))
        more = tunnel.get("url", "") if state == "up" else why + (f" -> {hint}" if hint else "")
        yield "tunnel", f"{kind} {state} since {tunnel.get('since', '?')[:19]}Z  {more}".rstrip(), state == "up"
    if node := told.get("node"):
        container, rpc = node.get("container") or {}, node.get("rpc") or {}
        height, peers, lag = (_known(rpc.get(key)) for key in ("height", "peers", "lag"))
        why = node.get("why") or container.get("error") or rpc.get("why") or ""
        state = container.get("state") or f"docker {node.get('docker')}"
        line = f"{node.get('node')} {state}, block {height}, {peers} peers, {lag} behind  {why}"
        yield "node", line.rstrip(), container.get("state") == "running" and rpc.get("state") == "up"


def _known(value: Any) -> str:
    return "?" if value is None else str(value)


def _headline(result: HostResult) -> str:
    end = result.end
    last = end["last"]
    told = f"last deploy {last['end']} {last['time']} by {last['who']}" if last else "never deployed"
    disk = end["disk"][0]
    free = f"{disk['free'] / 1e9:.1f} GB free of {disk['total'] / 1e9:.0f}"
    return f"{result.host}: release {end['release'] or '-'}, {told}, up {_span(end['up'])}, {free}"


def _units(units: Sequence[dict[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("unit", "state", "at boot", "for", "restarts", "memory"):
        table.add_column(title, justify="right" if title in ("for", "restarts", "memory") else "left", no_wrap=True)
    for unit in units:
        style = {"active": "green", "failed": "bold red"}.get(unit["state"], "yellow")
        state = Text(f"{unit['state']} ({unit['sub']})", style)
        memory = f"{unit['memory'] / 1e6:.0f} MB" if unit["memory"] else ""
        span = _span(unit["seconds"]) if unit["seconds"] is not None else ""
        table.add_row(unit["name"], state, unit["enabled"] or "-", span, str(unit["restarts"]), memory)
    return table


def _span(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    if days or hours:
        return f"{days} d {hours} h" if days else f"{hours} h {rest // 60} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"
