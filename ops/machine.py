"""What this machine (the controller) itself needs: Debian packages, installed when missing, and said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.errors import OpsError

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120")


def missing(needs: Mapping[str, str]) -> list[str]:
    """The packages that are not there. `needs` maps a program, or the path of a file, to the package that brings it."""
    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    there = {need for need in needs if (Path(need).exists() if need[0] == "/" else shutil.which(need, path=path))}
    return sorted({package for need, package in needs.items() if need not in there})


def require(needs: Mapping[str, str], *, why: str, say: Callable[[str], None], error: type[OpsError]) -> None:
    """Installs what is missing with apt-get; raises `error` where that cannot be done."""
    packages = missing(needs)
    if not packages:
        return
    todo = f"apt-get install {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise error(f"{why} needs {', '.join(packages)}, and this machine has no apt-get to install them with")
    prefix = as_root()
    if prefix is None:
        raise error(f"{why} needs {', '.join(packages)}, and neither root nor `sudo -n` is to be had", hint=todo)
    say(f"installing {', '.join(packages)} ({why} needs them)")
    _install(prefix, packages, todo, error)


def as_root() -> list[str] | None:
    """What to put before a command so that root runs it; None when that cannot be."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0:
        return sudo
    return None


def _install(prefix: list[str], packages: list[str], todo: str, error: type[OpsError]) -> None:
    install = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *APT, "install", "-y", "--no-install-recommends"]
    # A fresh machine has no package lists, or old ones that name versions which are gone: fetch them and try again.
    if _quietly([*install, *packages]).returncode == 0:
        return
    _quietly([*prefix, *APT, "update"])
    done = _quietly([*install, *packages])
    if done.returncode:
        last = "\n".join(f"    {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-8:])
        raise error(f"{todo} failed:\n{last}", hint=f"run it by hand as root: {todo}")


def _quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
