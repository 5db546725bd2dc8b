"""What a person reads about a host's BlockDAG node."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
GB = 1e9


def advice(found: Json) -> list[str]:
    """What keeps the node from its work, each with what to do."""
    host, probe = found["host"], found["probe"]
    if found["stopped_for_disk"]:
        return [f"stopped for its disk: {found['stopped_for_disk']}; make room, or raise disk.budget_gb and deploy"]
    if probe is None or found["probe_error"]:
        return [f"it cannot be looked at: {found['probe_error'] or 'no probe'}: ./inv deploy --host {host}"]
    if probe["docker"] != "up":
        return [f"Docker is {probe['docker']}: {probe['why']}"]
    return _units(found) + _container(found, probe["container"] or {}) + _rpc(found)


def _units(found: Json) -> list[str]:
    down = [unit for unit in found["units"] if unit["state"] != "active"]
    return [f"{unit['name']} is {unit['state']}: ./inv blockdag.up --host {found['host']}" for unit in down]


def _container(found: Json, container: Json) -> list[str]:
    state = container.get("state")
    if state != "running":
        code = container.get("exit_code")
        ended = f" (exit status {code})" if code else ""
        return [f"the container is {state or 'missing'}{ended}: ./inv blockdag.logs --host {found['host']}"]
    if container.get("image") not in (None, found["wanted"]["image"]):
        return [f"it runs {container['image']}, and the inventory says {found['wanted']['image']}: ./inv deploy"]
    return []


def _rpc(found: Json) -> list[str]:
    rpc = found["probe"]["rpc"] or {}
    if (found["probe"]["container"] or {}).get("state") != "running":
        return []
    if rpc.get("state") != "up":
        return [f"the node's RPC is {rpc.get('state', 'unknown')}: {rpc.get('why', '')}"]
    if rpc.get("peers") == 0:
        port = found["wanted"]["p2p_port"]
        return [f"it has no peers: give it some (settings.blockdag.peers), and let port {port} in"]
    return []


def shown(found: Json) -> list[str]:
    """Lines for people."""
    probe, wanted = found["probe"] or {}, found["wanted"]
    container, rpc, disk = (probe.get(part) or {} for part in ("container", "rpc", "disk"))
    word = "needs attention" if found["advice"] else "well"
    lines = [f"{found['host']}: {wanted['kind']}, {word}", f"  address    {wanted['address']}"]
    lines += [f"  units      {', '.join(unit['name'] + ' ' + unit['state'] for unit in found['units'])}"]
    lines += [f"  container  {_state(container)}", f"  chain      {_chain(rpc, probe)}", f"  disk       {_disk(disk)}"]
    return lines + [f"  -> {one}" for one in found["advice"]]


def _state(container: Json) -> str:
    restarts = container.get("restarts")
    times = f", {restarts} restart{'' if restarts == 1 else 's'}" if restarts is not None else ""
    since = f" since {container['started_at'][:19]}Z" if container.get("started_at") else ""
    name = f"{container.get('name') or '-'}: {container.get('state') or 'unknown'}{since}{times}"
    return f"{name}, {container.get('image') or 'no image'}"


def _chain(rpc: Json, probe: Json) -> str:
    if rpc.get("state") != "up":
        return f"{rpc.get('state') or 'unknown'}: {rpc.get('why') or 'not asked'}"
    loading = ", in initial download" if probe.get("initial_download") else ", syncing" if rpc.get("syncing") else ""
    lag = rpc.get("lag")
    behind = "" if lag is None else f", {lag} behind"
    version = f", version {rpc['version']}" if rpc.get("version") else ""
    return f"height {rpc.get('height')}{behind}, {rpc.get('peers')} peers{loading}{version}"


def _disk(disk: Json) -> str:
    budget, free, growth = (disk.get(key) for key in ("budget_bytes", "free_bytes", "growth_bytes_per_day"))
    used = disk.get("bytes") if disk.get("bytes") is not None else disk.get("at_least_bytes")
    if used is None or not budget:
        return disk.get("why") or "unknown"
    rate = "" if growth is None else f", {growth / GB:+.2f} GB a day"
    room = "" if free is None else f", {free / GB:.1f} GB free"
    return f"{used / GB:.2f} of {budget / GB:g} GB ({100 * used / budget:.0f} %){rate}{room}"
