"""Debian packages and the repositories that they come from."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from .. import files
from ..host import HostError, run, run_logged
from ..managed import Mark, access, sha256
from .base import Change, Kind, State, Want, differ, text_diff

KEYRINGS = Path("/etc/apt/keyrings")
SOURCES = Path("/etc/apt/sources.list.d")
LISTS = Path("/var/lib/apt/lists")
LISTS_LAST = 24 * 3600.0
"""Seconds after which package lists are fetched anew before an install."""
LOCK_WAIT = 180
_OPTIONS = (
    "-o", f"DPkg::Lock::Timeout={LOCK_WAIT}", "-o", "Dpkg::Options::=--force-confdef",
    "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0",
)  # fmt: skip


class AptRepo(Kind):
    """want: name, source (deb822 text), key (armoured), which are written to /etc/apt and followed by an update."""

    def _paths(self, want: Want) -> dict[str, tuple[str, str]]:
        key = str(KEYRINGS / f"{want['name']}.asc")
        return {"key": (key, want["key"]), "source": (str(SOURCES / f"{want['name']}.sources"), want["source"])}

    def read(self, want: Want) -> State:
        return {name: files.look(path, content=True) for name, (path, _) in self._paths(want).items()}

    def changes(self, state: State, want: Want) -> list[Change]:
        found = []
        for name, (path, content) in self._paths(want).items():
            if (old := state[name].get("content", "")) != content:
                found.append(text_diff(path, old, content, secret=False))
            found += differ(f"{name} mode", state[name].get("mode", "0644"), "0644")
        return found

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        KEYRINGS.mkdir(mode=0o755, exist_ok=True)
        for path, content in self._paths(want).values():
            files.write(path, content.encode())
        update()

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return {"files": [files.keep(state[name], path) for name, (path, _) in self._paths(want).items()]}

    def restore(self, kept: dict[str, Any]) -> None:
        for entry in kept["files"]:
            files.restore(entry)

    def marks(self, want: Want) -> list[Mark]:
        root = {"owner": "root", "group": "root", "mode": "0644"}
        found = self._paths(want).values()
        return [access({"path": path, **root}, "file") | {"sha256": sha256(text)} for path, text in found]


class AptPackages(Kind):
    """want: names, or name=version. Installed without recommended packages; configuration files that someone edited
    stay."""

    def read(self, want: Want) -> State:
        listing = run("dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package} ${Version}\n").stdout
        return packages(listing, want["names"])

    def changes(self, state: State, want: Want) -> list[Change]:
        missing = [name for name in want["names"] if name not in state["installed"]]
        found = [Change(f"package {name}", "absent", "installed") for name in missing]
        return found + ([Change("dpkg", "interrupted", "configured")] if state["broken"] else [])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        if state["broken"]:
            run_logged("dpkg", "--configure", "-a", "--force-confdef", "--force-confold", log="apt.log")
        missing = [name for name in want["names"] if name not in state["installed"]]
        if missing:
            install(missing)


def packages(listing: str, names: list[str]) -> State:
    """Which of `names` are installed (`name=version`: in that version), and whether an earlier dpkg died half-way.

    `listing` is `dpkg-query -W` of everything. The second letter of a status says what is there: i installed (also
    "hi", held), H U F W t something unfinished.
    """
    lines = [(line[1:2], *line[3:].split()) for line in listing.splitlines()]
    there = [names for state, *names in lines if state == "i"]
    found = {name for name, *_ in there} | {"=".join(names) for names in there}
    unfinished = any(state and state in "HUFWt" for state, *_ in lines)
    interrupted = any(Path("/var/lib/dpkg/updates").glob("[0-9]*"))
    return {"installed": sorted(found & set(names)), "broken": unfinished or interrupted}


def install(names: list[str]) -> None:
    if _lists_age() > LISTS_LAST:
        update()
    older = ["--allow-downgrades"] if any("=" in name for name in names) else []
    command = partial(
        _patient, "apt-get", "install", "-y", "-q", "--no-install-recommends", *older, *_OPTIONS, "--", *names
    )
    try:
        command()
    except HostError as error:
        if "Unable to locate" not in str(error) and "404" not in str(error):
            raise
        update()  # the lists are older than the mirror: once more with new ones
        command()


def update() -> None:
    try:
        _patient("apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any")
    except HostError as error:
        hint = "try `apt-get update` on the host: its sources, its DNS and its clock are what usually is wrong"
        raise HostError(f"the package lists could not be fetched: {error}", hint) from error


def _patient(*argv: str) -> None:
    """Waits for another apt (unattended upgrades, a run that was cut off) instead of failing on its lock."""
    for _ in range(LOCK_WAIT // 3):
        try:
            return run_logged(*argv, log="apt.log")
        except HostError as error:
            if "Could not get lock" not in str(error) and "Unable to lock" not in str(error):
                raise
            time.sleep(3)
    raise HostError(f"another package manager kept its lock for {LOCK_WAIT} s", "see `ps -ef | grep -E 'apt|dpkg'`")


def _lists_age() -> float:
    """Seconds since the lists were fetched; a bare machine has none."""
    stamps = [path.stat().st_mtime for path in LISTS.glob("*Release")]
    return time.time() - max(stamps) if stamps else float("inf")
