"""Whether the world reaches this host, and its BlockDAG nodes the world: two lines of /health. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.payload import Json
from runtime.telegram.text import code, number, plain
from runtime.telegram.words import Words

MOST = 10
Readings = dict[tuple[str, str], Json]


def lines(w: Words, readings: list[Json]) -> Iterator[str]:
    """One for the tunnel and one for each node, of those that the monitor looks at."""
    by_name = {(str(one.get("metric")), str(one.get("target"))): one for one in readings}
    if tunnel := by_name.get(("tunnel.reaches_us", "")):
        yield f"{_icon(tunnel.get('value'))} {w('h_tunnel')} {code(tunnel.get('note', ''), 200)}".rstrip()
    nodes = [target for metric, target in by_name if metric == "node.running"]
    yield from (_node(w, by_name, node) for node in nodes[:MOST])


def _node(w: Words, readings: Readings, node: str) -> str:
    """What is wrong with it, or how it does."""
    container, running = readings.get(("node.container", node), {}), readings["node.running", node]
    wrong = container if container.get("value") == 0 else running
    name = f"{w('h_node')} {code(node)}"
    if wrong.get("value") != 1:
        return f"{_icon(wrong.get('value'))} {name} · {plain(wrong.get('note') or w('h_unknown'))}"
    is_syncing = readings.get(("node.syncing", node), {}).get("value") == 1
    said = [w("h_syncing")] if is_syncing else []
    said += [plain(running["note"])] if running.get("note") else []
    said += [w(word, n=number(found)) for word, found in _figures(readings, node)]
    return " · ".join([f"{'🟠' if is_syncing else '🟢'} {name}", *said])


def _figures(readings: Readings, node: str) -> Iterator[tuple[str, float]]:
    """Those that are known."""
    for word, metric in (("h_block", "height"), ("h_peers", "peers"), ("h_behind", "lag"), ("h_disk", "disk_ratio")):
        value = readings.get((f"node.{metric}", node), {}).get("value")
        if isinstance(value, int | float):
            yield word, round(value * 100) if metric == "disk_ratio" else value


def _icon(value: Any) -> str:
    return {1: "🟢", 0: "🔴"}.get(value, "⚪")
