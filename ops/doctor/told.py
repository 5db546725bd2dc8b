"""What a host's services tell of themselves (`Role.looks`), each by its name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from ops.doctor.finding import Facts, Finding, notice, ok, problem

LATE = 300.0
"""Seconds that a delivery may be owed."""
UNPUSHED = 6 * 3600.0
PROBE_OLD = 120.0
SEEN_HERE = ("unit.*", "drift.*", "disk.*", "outbox.*", "service.*", "tunnel.*", "journal.*", "host.memory*")
"""Rules of the monitor's about what doctor looks at itself."""


def judge(facts: Facts, host: str, now: datetime) -> Iterator[Finding]:
    for name, said in facts["told"].items():
        if said is not None and name in FILES:
            yield from _safely(name, FILES[name], said, host, now)
    for name, asked in facts["asked"].items():
        if name not in ASKED:
            continue
        if asked["said"] is None:
            yield _silent(name, asked["why"], host)
        else:
            yield from _safely(name, ASKED[name], asked["said"], host, now)


Judge = Callable[[Facts, str, datetime], Iterator[Finding]]


def _safely(name: str, judge: Judge, said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    """A service of another release may tell in other words."""
    try:
        yield from list(judge(said, host, now))
    except (KeyError, TypeError, ValueError, AttributeError):
        yield notice(name, f"{name}.unknown", f"what it says of {name} is not understood", mend="is its release old?")


def _silent(name: str, why: str, host: str) -> Finding:
    says = f"nobody there can tell about {name}: {why}"
    return problem(name, f"{name}.silent", says, "what is wrong there is not known", f"./inv status --host {host}")


def _tunnel(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    if said["state"] == "up":
        yield ok("tunnel", "tunnel", f"{said['kind']} is up at {said['url']}")
        return
    says = f"{said['kind']} is {said['state']} since {said['since'][:19]}Z" + (
        f": {said['why']}" if said["why"] else ""
    )
    mend = said["hint"] or f"./inv tunnel.status --host {host}"
    yield problem("tunnel", "tunnel", says, "TradingView's alerts do not arrive", mend)


def _probe(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    probe, look = said["probe"], f"./inv tunnel.status --host {host}"
    if said["inspector"]:
        mend = f"on {host}: systemctl restart ngrok-tv"
        yield problem(
            "tunnel", "tunnel.inspector", said["inspector"], "requests can be neither seen nor replayed", mend
        )
    if probe["ok"]:
        yield ok("tunnel", "tunnel.probe", f"{said['url']} leads to this host's webhook")
    elif probe["ok"] is None:
        mend = f"set hosts.{host}.settings.tunnel.ops_key, then ./inv deploy --host {host}"
        yield notice("tunnel", "tunnel.probe", f"where the URL leads was not proved: {probe['why']}", mend=mend)
    else:
        yield problem("tunnel", "tunnel.probe", probe["why"], "TradingView's alerts do not arrive", look)


def _outbox(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    for sink, one in said["sinks"].items():
        again = f"./inv outbox.retry --sink {sink} --all --host {host}"
        if one["dead"]:
            says = f"{sink} refused {one['dead']} deliveries for good"
            means = "they are kept, and not sent again by themselves"
            yield problem("deliveries", "dead_letters", says, means, f"./inv outbox.status --host {host}; then {again}")
        if one["error"]:
            says = f"{sink} fails since {one['failing_since']}: {one['error']}"
            mend = f"./inv logs --host {host} --unit tv-outbox.service"
            yield problem("deliveries", "sink.failing", says, "what it owes waits; nothing is lost", mend)
        elif one["lag_sec"] > LATE:
            says = f"{sink} is {one['lag_sec']:.0f} s behind, with {one['pending']} to deliver"
            mend = f"./inv logs --host {host} --unit tv-outbox.service"
            yield problem("deliveries", "sink.late", says, "what it owes waits; nothing is lost", mend)
        elif not one["dead"]:
            yield ok("deliveries", "sink", f"{sink} has all")


def _journal(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    if not said["since"]:
        yield ok("journal", "journal", "the log book is at its remote")
        return
    waits = (now - datetime.fromisoformat(said["since"])).total_seconds()
    says = f"the log book waits for its remote since {said['since'][:16]} ({said['code'] or 'no reason given'})"
    mend = f"./inv github.check --host {host}; ./inv logs --host {host} --unit journal-sync.service"
    if waits > UNPUSHED:
        yield problem("journal", "journal.unpushed", says, "new entries are on this host alone", mend)
    else:
        yield notice("journal", "journal.unpushed", says, mend=mend)


def _node(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    age = (now - datetime.fromisoformat(said["at"])).total_seconds()
    name, status = said["node"], f"./inv blockdag.status --host {host}"
    if age > PROBE_OLD:
        says = f"node {name} was last looked at {age:.0f} s ago"
        mend = f"./inv logs --host {host} --unit blockdag-probe.service"
        yield problem("node", "node.probe", says, "what is known of it is old", mend)
    container, rpc, disk = said["container"] or {}, said["rpc"] or {}, said["disk"] or {}
    if said["docker"] != "up":
        yield problem(
            "node", "node.docker", f"docker is {said['docker']}: {said['why']}", "the node does not run", status
        )
    elif container.get("state") != "running":
        why = container.get("error") or ("it ran out of memory" if container.get("oom") else "")
        says = f"its container is {container.get('state')}" + (f": {why}" if why else "")
        mend = f"./inv blockdag.logs --host {host}; ./inv blockdag.up --host {host}"
        yield problem("node", "node.container", says, "it neither syncs nor mines", mend)
    elif rpc.get("state") != "up":
        says = f"its RPC is {rpc.get('state')}: {rpc.get('why')}"
        yield problem("node", "node.rpc", says, "nobody knows how far it is", f"./inv blockdag.logs --host {host}")
    else:
        yield ok("node", "node", f"node {name} runs, block {rpc.get('height')}, {rpc.get('peers')} peers")
        if rpc.get("peers") == 0:
            mend = f"open its p2p port in the firewall; {status}"
            yield problem("node", "node.alone", "it has no peers", "it cannot follow the chain", mend)
    if disk.get("bytes") and disk.get("budget_bytes") and disk["bytes"] > disk["budget_bytes"]:
        says = f"its data takes {disk['bytes'] / 1e9:.0f} GB of a budget of {disk['budget_bytes'] / 1e9:.0f}"
        yield problem(
            "node", "node.disk", says, "it will fill the disk", f"raise its budget in inventory.yaml; {status}"
        )


def _miner(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    advice = said.get("advice") or ([said["error"]] if "error" in said else [])
    for sentence in advice:
        yield problem("miner", "miner", sentence, "it mines less than it could", f"./inv miner.status --host {host}")
    if not advice:
        yield ok("miner", "miner", f"{len(said['sticks'])} sticks, {said['total']['ghs']} GH/s")


def _monitor(said: Facts, host: str, now: datetime) -> Iterator[Finding]:
    """What people were told already: certificates, keys, backups, sticks, temperatures, other hosts."""
    others = [one for one in said["alerts"] if not _is_seen_here(one["rule"])]
    for one in others:
        says = f"{one['text']} (since {one['since'][:16]})"
        make = notice if one["severity"] == "info" or one["muted"] else problem
        mend = f"docs/alerts.md: {one['rule']}; the monitor's page /miner has its figures"
        yield make("monitor", f"alert.{one['rule']}", says, "the monitor's alert that people were told of", mend)
    if not others:
        yield ok("monitor", "alerts", "the monitor has no other alert")


def _is_seen_here(rule: str) -> bool:
    from fnmatch import fnmatch

    return any(fnmatch(rule, pattern) for pattern in SEEN_HERE)


FILES: Mapping[str, Judge] = {"tunnel": _tunnel, "journal": _journal, "node": _node}
ASKED: Mapping[str, Judge] = {"probe": _probe, "outbox": _outbox, "miner": _miner, "monitor": _monitor}
