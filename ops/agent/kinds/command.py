"""A command with a guard that says when its work is already done."""

from __future__ import annotations

import pwd
import shutil
from pathlib import Path
from typing import Any

from ..host import ENV, HostError, run
from .base import Change, Kind, State, Want


class Command(Kind):
    """want: name, argv, creates (path) or unless (argv that exits 0 when done), user, cwd, timeout (s)."""

    def read(self, want: Want) -> State:
        if want["creates"]:
            return {"done": Path(want["creates"]).exists()}
        if not _can_ask(want):  # a plan for a bare host: what the guard needs is made by a resource before this one
            return {"done": False}
        probe = run(*want["unless"], check=False, timeout=want["timeout"], **_as(want))
        return {"done": probe.returncode == 0}

    def changes(self, state: State, want: Want) -> list[Change]:
        return [] if state["done"] else [Change("run", "not done", " ".join(want["argv"]))]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        run(*want["argv"], timeout=want["timeout"], bound=True, **_as(want))


def _can_ask(want: Want) -> bool:
    try:
        pwd.getpwnam(want["user"])
    except KeyError:
        return False
    return bool(shutil.which(want["unless"][0], path=ENV["PATH"])) and Path(want["cwd"]).is_dir()


def _as(want: Want) -> dict[str, Any]:
    options: dict[str, Any] = {"cwd": want["cwd"]}
    if want["user"] == "root":
        return options
    try:
        entry = pwd.getpwnam(want["user"])
    except KeyError as error:
        raise HostError(f'there is no user "{want["user"]}"') from error
    env = ENV | {"HOME": entry.pw_dir, "USER": entry.pw_name}
    return options | {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "env": env}
