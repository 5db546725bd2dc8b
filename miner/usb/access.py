"""Whether another user may open a device's file: the miner's, which is not the monitor's own."""

from __future__ import annotations

import grp
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the kernel sees a process of theirs: numbers."""

    name: str
    uid: int
    gids: frozenset[int]


def account(name: str, extra: tuple[str, ...] = ()) -> Account | None:
    """The user and all their groups, with those that a unit adds (SupplementaryGroups). None: no such user."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    own = {user.pw_gid, *(group.gr_gid for group in grp.getgrall() if name in group.gr_mem)}
    return Account(name, user.pw_uid, frozenset(own | {found.gr_gid for found in map(_group, extra) if found}))


def problem(node: Path, who: Account) -> str | None:
    """None: `who` may read and write it. Else what is in the way, in a sentence. Raises OSError.

    Told from owner, group and mode; access lists that somebody set by hand are not looked at.
    """
    found = node.stat()
    if _allowed(found.st_mode, found.st_uid, found.st_gid, who):
        return None
    access = f"{stat.filemode(found.st_mode)}, owner {found.st_uid}, group {_named(found.st_gid)}"
    return f"{node} is {access}: {who.name} may not open it"


def _allowed(mode: int, uid: int, gid: int, who: Account) -> bool:
    if who.uid == 0:
        return True
    shift = 6 if uid == who.uid else 3 if gid in who.gids else 0
    return (mode >> shift) & 0o6 == 0o6


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def _named(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
