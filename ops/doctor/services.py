"""What was deployed, and whether it is still so: units, ports, checks, drift. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ops.doctor.finding import Facts, Finding, listed, notice, ok, problem

RESTARTS, YOUNG = 5, 600
"""So many restarts, the last one so many seconds ago, are a loop."""
LONG = 90
"""Days since the last deploy."""


def judge(facts: Facts, host: str, wanted: Facts, now: datetime) -> Iterator[Finding]:
    """`wanted`: name of each unit of the roles -> {"running", "enabled"} as planned, of `facts` beside it."""
    yield from _deployed(facts, host, now)
    yield from _failed(facts["failed"] or (), host, wanted)
    for unit in facts["units"]:
        yield from _unit(unit, wanted.get(unit["name"], {}), host)
    for port in facts["ports"] or ():
        yield from _port(port, host)
    for check in facts["checks"]:
        yield from _check(check, host)
    yield from _docker(facts["docker"], host)


def _deployed(facts: Facts, host: str, now: datetime) -> Iterator[Finding]:
    last, run, again = facts["last"], facts["run"] or {}, f"./inv deploy --host {host}"
    if run.get("lock"):
        held = run["lock"]
        says = f"a deploy is at work: {held.get('who')} since {held.get('since')} ({held.get('why')})"
        yield notice("deploy", "deploy.lock", says, "what is found may be half of it", "run doctor again after it")
    elif run.get("undo"):
        means = "the host is between two states; the next deploy finishes that, or takes it back"
        yield problem("deploy", "deploy.interrupted", "a deploy was interrupted", means, again)
    if not last:
        yield problem("deploy", "deploy.never", "nothing was ever deployed to it", "none of its roles is there", again)
    elif last["end"] != "done":
        says = f"the last deploy {_WORDS.get(last['end'], last['end'])} ({last['time']}, by {last['who']})"
        yield problem("deploy", "deploy.failed", says, "what the inventory says is not there", again)
    else:
        yield from _age(last, host, now)
    if last and not facts["release"] and facts["has_release"]:
        means = "no service of ours can start"
        yield problem("deploy", "release", "its release is gone: /opt/trading/venv", means, again)
    yield from _drift(facts["asked"].get("drift"), host)


_WORDS = {"rolled-back": "was rolled back", "interrupted": "was interrupted"}


def _age(last: Facts, host: str, now: datetime) -> Iterator[Finding]:
    days = (now - datetime.fromisoformat(last["time"])).days
    says = f"last deployed {days} days ago by {last['who']}" if days else f"deployed today by {last['who']}"
    if days > LONG:
        yield notice("deploy", "deploy.old", says, mend=f"./inv plan --host {host}")
    else:
        yield ok("deploy", "deploy", says)


def _drift(asked: Facts | None, host: str) -> Iterator[Finding]:
    found = (asked or {}).get("said")
    if not found:
        return
    if found["count"]:
        says = f"{found['count']} managed files were changed by hand: {listed(found['files'], 3)}"
        mend = f"./inv plan --host {host} shows each; ./inv deploy --host {host} brings them back"
        yield problem("deploy", "drift", says, "the host is not what the inventory says", mend)
    else:
        yield ok("deploy", "drift", "no managed file was changed by hand")


def _failed(units: Iterator[Facts] | tuple[Facts, ...], host: str, wanted: Facts) -> Iterator[Finding]:
    for unit in units:
        name = unit["name"]
        last = f": {unit['log'][-1]}" if unit["log"] else ""
        says = f"{name} failed ({unit['result'] or 'no reason given'}){last}"
        if name in wanted:
            mend = f"./inv logs --host {host} --unit {name}; then ./inv deploy --host {host}"
            yield problem("services", "unit.failed", says, "a service of ours does not run", mend)
        else:
            mend = f"on {host}: journalctl -u {name} -e; systemctl restart {name} (or reset-failed)"
            yield problem("services", "unit.failed", says, "it is no service of ours, and may be needed", mend)


def _unit(unit: Facts, wanted: Facts, host: str) -> Iterator[Finding]:
    name, logs = unit["name"], f"./inv logs --host {host} --unit {unit['name']}"
    again = f"./inv deploy --host {host}"
    is_loop = unit["sub"] == "auto-restart" or (unit["restarts"] >= RESTARTS and (unit["seconds"] or 0) < YOUNG)
    if is_loop:
        says = f"{name} starts again and again ({unit['restarts']} times)"
        yield problem("services", "unit.loop", says, "it ends by itself each time", logs)
    elif wanted.get("running") and unit["condition"] and unit["state"] not in ("active", "failed", "reloading"):
        says = f"{name} does not run ({unit['state']}, {unit['sub']})"
        yield problem("services", "unit.down", says, "somebody stopped it, or it never started", f"{logs}; {again}")
    elif unit["state"] != "failed":
        yield ok("services", "unit", f"{name} is {unit['state']}")
    if wanted.get("enabled") and unit["enabled"] in ("disabled", "masked"):
        says = f"{name} is {unit['enabled']}"
        yield problem("services", "unit.disabled", says, "it will not start at the next boot", again)


LOGINS = ("ssh.service", "sshd.service", "user@")
"""What somebody started by hand is counted to these where no session is kept: to stop one would lock people out."""


def _port(port: Facts, host: str) -> Iterator[Finding]:
    unit = port["unit"]
    strangers = [
        one for one in port["holders"] if one["unit"] not in ("systemd", unit, unit.replace(".service", ".socket"))
    ]
    if not strangers:
        yield ok("services", "port", f"port {port['port']} is {unit}'s")
        return
    one = strangers[0]
    says = f"port {port['port']} of {unit} is taken by {one['name']} (pid {one['pid']}, {one['unit'] or 'no unit'})"
    is_a_service = one["unit"].endswith(".service") and not one["unit"].startswith(LOGINS)
    stop = f"systemctl stop {one['unit']}" if is_a_service else f"kill {one['pid']}"
    mend = f"on {host}: {stop}, or give the role another port; then ./inv deploy --host {host}"
    yield problem("services", "port.taken", says, f"{unit} cannot listen", mend)


def _check(check: Facts, host: str) -> Iterator[Finding]:
    if check["result"] == "ok":
        yield ok("services", "check", check["name"])
        return
    says = " ".join(check["why"].splitlines()[:1])
    yield problem("services", "check", says, "a deploy would be rolled back now", f"./inv logs --host {host}")


def _docker(found: Facts | None, host: str) -> Iterator[Finding]:
    if found is None:
        return
    if found["why"]:
        mend = f"on {host}: systemctl restart docker; journalctl -u docker -e"
        yield problem("docker", "docker", f"docker: {found['why']}", "no container runs or is watched", mend)
        return
    sick = [one for one in found["containers"] if one["state"] in ("restarting", "dead")]
    for one in sick:
        name = listed(one["names"] or ("?",)).replace("/", "")
        mend = f"on {host}: docker logs --tail 50 {name}"
        yield problem("docker", "container", f"container {name}: {one['status']}", "it ends by itself each time", mend)
    if not sick:
        yield ok("docker", "docker", f"docker answers, {len(found['containers'])} containers")
