"""The machine under the services: what it runs, its clock, its disks and memory, its packages. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ops.doctor.finding import Facts, Finding, listed, notice, ok, problem

SKEW = 5.0
"""Seconds that a host's clock may be away from the controller's."""
FULL, LOW = 0.05, 0.10
LITTLE = 500e6
MEMORY = 0.05


def judge(facts: Facts, host: str, expected: Facts, skew: float) -> Iterator[Finding]:
    """`expected`: what the inventory says of the machine. `skew`: seconds that its clock is ahead."""
    yield from _system(facts["facts"] or {}, host, expected)
    yield from _clock(facts["clock"], facts["container"], host, skew)
    for mount in facts["mounts"] or ():
        yield from _disk(mount, host)
    yield from _memory(facts["memory"], host)
    yield from _kernel(facts["kernel"], facts["container"], host)
    yield from _packages(facts["packages"], host)


def _system(found: Facts, host: str, expected: Facts) -> Iterator[Finding]:
    if found.get("os") != expected["os"]:
        says = f"runs {found.get('os', 'something unknown')}; the roles are for {expected['os']}"
        yield problem(
            "machine", "os", says, "every deploy refuses it", "install Debian 12 on it, then ./inv host.trust"
        )
    else:
        yield ok("machine", "os", f"runs {found['os']}")
    for key in ("arch", "python"):
        if found.get(key) != expected[key]:
            says = f"its {key} is {found.get(key)}, the inventory says {expected[key]}"
            mend = f'set hosts.{host}.{key}: "{found.get(key)}" in inventory.yaml'
            yield problem("machine", key, says, "a deploy would bring wheels that it cannot use", mend)
        else:
            yield ok("machine", key, f"{key} {found[key]}")


def _clock(found: Facts | None, container: str, host: str, skew: float) -> Iterator[Finding]:
    if abs(skew) > SKEW:
        says = f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
        means = "alerts and the log book carry wrong times, repetitions and expiries are misjudged"
        mend = f"on {host}: timedatectl set-ntp true; timedatectl timesync-status (and look at this machine's clock)"
        yield problem("machine", "clock.skew", says, means, mend)
    else:
        yield ok("machine", "clock.skew", "its clock is this machine's, within 5 s")
    if found is None or container:
        yield (
            ok("machine", "clock.ntp", "the clock is kept by the machine around it")
            if container
            else notice("machine", "clock.ntp", "it does not say whether its clock is synchronised")
        )
    elif not found["synchronised"]:
        means = "it drifts, until times are wrong"
        mend = f"on {host}: timedatectl set-ntp true; systemctl restart systemd-timesyncd"
        yield problem("machine", "clock.ntp", "its clock is not synchronised", means, mend)
    else:
        yield ok("machine", "clock.ntp", "its clock is synchronised")


def _disk(mount: Facts, host: str) -> Iterator[Finding]:
    path, total = mount["path"], mount["total"] or 1
    ratio, free = mount["free"] / total, f"{mount['free'] / 1e9:.1f} GB"
    mend = f"on {host}: du -xh --max-depth=2 {path} | sort -h | tail; journalctl --vacuum-size=200M"
    if mount["read_only"]:
        mend = f"on {host}: dmesg | tail; then fsck it, or mount -o remount,rw {path}"
        yield problem("machine", "disk.read_only", f"{path} is read-only", "nothing can be recorded there", mend)
    if ratio < FULL or (path == "/" and mount["free"] < LITTLE):
        means = "services stop being ready before it is full, and a deploy fails"
        yield problem("machine", "disk.full", f"{path} is full: {free} free ({ratio:.0%})", means, mend)
    elif ratio < LOW:
        yield notice("machine", "disk.low", f"{path} has {free} free ({ratio:.0%})", "it will be full", mend)
    else:
        yield ok("machine", "disk", f"{path} has {free} free")
    if mount["inodes"] and mount["inodes_free"] / mount["inodes"] < FULL:
        says = f"{path} has no inodes left: {mount['inodes_free']} of {mount['inodes']}"
        mend = f"on {host}: du -x --inodes --max-depth=2 {path} | sort -n | tail"
        yield problem("machine", "disk.inodes", says, "no file can be made there, whatever is free", mend)


def _memory(found: Facts | None, host: str) -> Iterator[Finding]:
    if found is None:
        return
    if found["available"] / found["total"] < MEMORY:
        says = f"{found['available'] / 1e6:.0f} MB of memory are available, of {found['total'] / 1e6:.0f}"
        yield problem("machine", "memory", says, "the kernel will kill programs", f"on {host}: systemd-cgtop -m -n 1")
    else:
        yield ok("machine", "memory", f"{found['available'] / 1e6:.0f} MB of memory available")
    if found["killed"]:
        says = f"{found['killed']} programs were killed for want of memory since it booted"
        yield notice("machine", "memory.killed", says, mend=f"on {host}: journalctl -k -g 'Out of memory'")


def _kernel(found: Facts | None, container: str, host: str) -> Iterator[Finding]:
    if found is None or container:
        return
    if found["newest"] not in ("", found["running"]) or found["reboot"]:
        newer = (
            f"{found['newest']} is installed" if found["newest"] != found["running"] else "an update asks for a reboot"
        )
        says = f"it runs kernel {found['running']}, and {newer}"
        means = "security fixes count after a reboot only"
        yield notice("machine", "reboot", says, means, f"on {host}: systemctl reboot, then ./inv status --host {host}")
    else:
        yield ok("machine", "reboot", "it runs the newest kernel that is installed")


def _packages(found: Facts | None, host: str) -> Iterator[Finding]:
    if found is None:
        yield notice("packages", "dpkg", "dpkg does not say what is installed")
        return
    if found["at_work"]:
        yield notice("packages", "dpkg.at_work", "a package manager is at work on it", "look again once it is done")
    elif found["interrupted"] or found["broken"]:
        says = "dpkg was interrupted"
        if found["broken"]:
            says = f"packages are half installed: {listed(found['broken'])}"
        means = "nothing can be installed or updated, so a deploy fails"
        mend = f"on {host}: dpkg --configure -a && apt-get -f install; then ./inv deploy --host {host}"
        yield problem("packages", "dpkg.interrupted", says, means, mend)
    else:
        yield ok("packages", "dpkg", "every package is whole")
    if found["held"]:
        says = f"held back from updates: {listed(found['held'])}"
        mend = f"on {host}: apt-mark unhold {' '.join(found['held'][:5])}, if that is not meant"
        yield notice("packages", "held", says, "security fixes do not reach them", mend)
