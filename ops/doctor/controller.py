"""The machine that deploys: its own environment, its keys, its checkout. `gather` looks, `judge` is pure."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ops import paths
from ops.doctor.finding import Facts, Finding, listed, notice, ok, problem
from ops.inventory import Host

OLD_LOCK = 600
"""Seconds after which git's lock file was left behind by a git that died."""
LITTLE = 500e6


def gather(hosts: Sequence[Host]) -> Facts:
    """What `judge` judges."""
    return {
        "python": list(sys.version_info[:2]),
        "venv": _venv(paths.ROOT),
        "free": shutil.disk_usage(paths.ROOT).free,
        "git": _git(paths.INVENTORY.parent),
        "keys": [_key(host) for host in hosts if host.key and not host.lab],
        "keyless": [host.name for host in hosts if not host.key and not host.lab],
        "own_keys": [path.name for path in (Path.home() / ".ssh").glob("id_*") if path.suffix != ".pub"],
        "agent": _agent(),
    }


def _venv(root: Path) -> str:
    """As ./inv itself judges it. `other`: it is not what runs now."""
    if Path(sys.prefix).resolve() != (root / ".venv").resolve():
        return "other"
    stamp, lock = root / ".venv/.made-for", root / ".venv/.lock"
    if not stamp.is_file() or not lock.is_file():
        return "missing"
    wanted = (root / "locks/controller.txt").read_bytes()
    return "fresh" if lock.read_bytes() == wanted and stamp.read_text().strip() == str(root) else "stale"


def _git(folder: Path) -> Facts | None:
    """None: the inventory is in no repository."""
    where = _said("git", "-C", str(folder), "rev-parse", "--absolute-git-dir")
    if where is None:
        return None
    place = Path(where.strip())
    lines = (_said("git", "-C", str(folder), "status", "--porcelain=v1", "--branch") or "").splitlines()
    marks = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "BISECT_LOG")
    lock = place / "index.lock"
    return {
        "branch": lines[0].removeprefix("## ") if lines else "",
        "changed": [line[3:] for line in lines[1:]],
        "under_way": [name for name in marks if (place / name).exists()],
        "lock": str(lock) if lock.exists() else "",
        "lock_age": time.time() - lock.stat().st_mtime if lock.exists() else 0,
    }


def _said(*words: str) -> str | None:
    """Looks and takes no lock: somebody may be at work in the checkout."""
    plain = ("env", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C.UTF-8")
    try:
        done = subprocess.run([*plain, *words], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _key(host: Host) -> Facts:
    path = Path(str(host.key)).expanduser()
    mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else None
    return {"host": host.name, "path": str(host.key), "mode": mode}


def _agent() -> int | None:
    """How many keys the SSH agent holds; None: there is no agent, or it holds none."""
    said = _said("ssh-add", "-l")
    return None if said is None else len(said.splitlines())


def judge(facts: Facts) -> Iterator[Finding]:
    """Everything about this machine, from its facts."""
    major, minor = facts["python"]
    if (major, minor) < (3, 11):
        says = f"Python {major}.{minor} is too old"
        yield problem("environment", "python", says, "3.11 or newer is needed", "apt-get install python3; rm -r .venv")
    else:
        yield ok("environment", "python", f"Python {major}.{minor}")
    yield from _environment(facts)
    yield from _checkout(facts["git"])
    yield from _ssh(facts)


def _environment(facts: Facts) -> Iterator[Finding]:
    if facts["venv"] == "fresh":
        yield ok("environment", "venv", ".venv is what locks/controller.txt says")
    elif facts["venv"] == "other":
        yield notice("environment", "venv", "this runs in another environment than ./inv's .venv", mend="./inv doctor")
    else:
        says = f".venv is {facts['venv']}"
        yield problem("environment", "venv", says, "tasks may run with other packages", "rm -rf .venv; ./inv --list")
    if facts["free"] < LITTLE:
        says = f"{facts['free'] / 1e6:.0f} MB are free here"
        yield problem("environment", "disk", says, "no release can be built", "./inv lab.down --all; rm -r .cache")
    else:
        yield ok("environment", "disk", f"{facts['free'] / 1e9:.1f} GB are free here")


def _checkout(found: Facts | None) -> Iterator[Finding]:
    if found is None:
        yield notice("checkout", "git", "the inventory is in no git repository", "nobody can tell what changed when")
        return
    if found["lock"] and found["lock_age"] > OLD_LOCK:
        says = f"a git that died left {found['lock']}"
        yield problem("checkout", "git.lock", says, "nothing can be committed", f"rm {found['lock']}")
    if found["under_way"]:
        says = f"git is amid something: {listed(found['under_way'])}"
        means = "files may hold both sides of a conflict"
        yield problem("checkout", "git.under_way", says, means, "git status says how to finish it, or to abort it")
    if found["changed"]:
        says = f"not committed: {listed(found['changed'])}"
        yield notice("checkout", "git.changed", says, "a deploy uses files as they are here", "git diff; git commit")
    if "behind" in found["branch"]:
        says = f"this checkout is behind its remote: {found['branch']}"
        yield notice("checkout", "git.behind", says, "somebody's changes are not deployed from here", "git pull")
    if not (found["lock"] or found["under_way"] or found["changed"]):
        yield ok("checkout", "git", "the checkout is clean")


def _ssh(facts: Facts) -> Iterator[Finding]:
    for key in facts["keys"]:
        if key["mode"] is None:
            says, mend = f"the SSH key of {key['host']} is not there: {key['path']}", f"set hosts.{key['host']}.key"
            yield problem("ssh", "ssh.key", says, "nobody can log in there", mend)
        elif key["mode"] & 0o077:
            says = f"the SSH key {key['path']} may be read by others ({key['mode']:04o})"
            yield problem("ssh", "ssh.key_mode", says, "ssh refuses it", f"chmod 600 {key['path']}")
        else:
            yield ok("ssh", "ssh.key", f"the SSH key of {key['host']} is there")
    if facts["keyless"] and not facts["own_keys"] and not facts["agent"]:
        says = f"no SSH key for {listed(facts['keyless'])}: none in ~/.ssh, none in an agent"
        mend = "ssh-keygen -t ed25519, then its .pub to the host; or set `key:` in inventory.yaml"
        yield problem("ssh", "ssh.none", says, "nobody can log in there", mend)
    elif facts["keyless"]:
        kept = f"{facts['agent']} in the agent" if facts["agent"] else listed(facts["own_keys"])
        yield ok("ssh", "ssh.keys", f"SSH keys: {kept}")
