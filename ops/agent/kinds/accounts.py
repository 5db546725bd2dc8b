"""Users and groups."""

from __future__ import annotations

import grp
import pwd

from ..host import HostError, run
from .base import Change, Kind, State, Want, differ


class Group(Kind):
    """want: name, system."""

    def read(self, want: Want) -> State:
        return {"exists": any(group.gr_name == want["name"] for group in grp.getgrall())}

    def changes(self, state: State, want: Want) -> list[Change]:
        return [] if state["exists"] else [Change("group", "absent", "present")]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        run("groupadd", *(["--system"] if want["system"] else []), "--", want["name"])


class User(Kind):
    """want: name, group, groups (sorted), home, shell, system. Further groups that someone added are left alone."""

    def read(self, want: Want) -> State:
        try:
            entry = pwd.getpwnam(want["name"])
        except KeyError:
            return {"exists": False}
        groups = sorted(group.gr_name for group in grp.getgrall() if want["name"] in group.gr_mem)
        main = next((g.gr_name for g in grp.getgrall() if g.gr_gid == entry.pw_gid), str(entry.pw_gid))
        return {"exists": True, "group": main, "home": entry.pw_dir, "shell": entry.pw_shell, "groups": groups}

    def changes(self, state: State, want: Want) -> list[Change]:
        if not state["exists"]:
            return [Change("user", "absent", "present")]
        found = [change for key in ("group", "home", "shell") for change in differ(key, state[key], want[key])]
        missing = [group for group in want["groups"] if group not in state["groups"]]
        return found + ([Change("groups", ",".join(state["groups"]), "+" + ",".join(missing))] if missing else [])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        if state["exists"]:
            self._mend(want, {change.what for change in changes})
            return
        groups = ["--groups", ",".join(want["groups"])] if want["groups"] else []
        system = ["--system"] if want["system"] else ["--create-home"]
        options = ["--gid", want["group"], "--home-dir", want["home"], "--shell", want["shell"], *groups, *system]
        run("useradd", *options, "--no-user-group", "--", want["name"])

    def _mend(self, want: Want, wrong: set[str]) -> None:
        """Only what is wrong: usermod refuses a new home, even the old one, while the user's services run."""
        options = {"group": ["--gid", want["group"]], "groups": ["--append", "--groups", ",".join(want["groups"])]}
        options |= {"home": ["--home", want["home"]], "shell": ["--shell", want["shell"]]}
        asked = [word for what in sorted(wrong) for word in options[what]]
        try:
            run("usermod", *asked, "--", want["name"])
        except HostError as error:
            if "currently used by process" not in str(error):
                raise
            raise HostError(str(error), f"stop what runs as {want['name']} on the host, then deploy again") from error
