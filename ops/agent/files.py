"""Files that are whole or absent: never half-written, whatever dies in between."""

from __future__ import annotations

import base64
import contextlib
import grp
import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any

from .host import HostError

State = dict[str, Any]


def look(path: str, *, content: bool = False) -> State:
    """What is at `path`: {"type", "mode", "owner", "group"}; "content", asked for, is surrogate-escaped text."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"type": "absent"}
    state: State = {"type": _type(info.st_mode), "mode": f"{stat.S_IMODE(info.st_mode):04o}"}
    state |= {"owner": _user(info.st_uid), "group": _group(info.st_gid)}
    if state["type"] == "symlink":
        state["target"] = str(Path(path).readlink())
    elif state["type"] == "file" and content:
        state["content"] = Path(path).read_bytes().decode("utf-8", "surrogateescape")
    return state


def _type(mode: int) -> str:
    kinds = (("file", stat.S_ISREG), ("directory", stat.S_ISDIR), ("symlink", stat.S_ISLNK))
    return next((name for name, test in kinds if test(mode)), "other")


def _user(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)


def ids(owner: str, group: str) -> tuple[int, int]:
    """Numeric owner and group; HostError names the one that does not exist."""
    try:
        uid = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
    except KeyError as error:
        raise HostError(f'there is no user "{owner}"') from error
    try:
        return uid, int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise HostError(f'there is no group "{group}"') from error


def write(path: str | Path, data: bytes, *, owner: str = "root", group: str = "root", mode: int = 0o644) -> None:
    """Replaces `path` by rename; it is durable when this returns, and the old file is whole until then."""
    target = Path(path)
    uid, gid = ids(owner, group)
    temporary = target.with_name(f".{target.name}.ops-new")
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        temporary.rename(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        error.filename = error.filename or str(target)
        raise
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Makes a rename in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link(path: str, target: str) -> None:
    """Points the symlink `path` at `target` in one step."""
    place = Path(path)
    temporary = place.with_name(f".{place.name}.ops-new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.rename(place)
    sync_directory(place.parent)


def make_way(path: str, found: str, wanted: str) -> None:
    """Removes what stands where something of another type must be, when nothing is lost by it."""
    if found in ("absent", wanted):
        return
    if found == "symlink":
        Path(path).unlink()
        return
    try:
        if found != "directory":
            raise OSError
        Path(path).rmdir()
    except OSError as error:
        message = f"{path} is a {found}{' with something in it' if found == 'directory' else ''}, not a {wanted}"
        raise HostError(message, f"move it away on the host: mv {path} {path}.old") from error


def keep(state: State, path: str) -> State:
    """What `restore` needs to bring `state` back; contents go as base64 because files need not be text."""
    kept: State = {"path": path, **{k: v for k, v in state.items() if k != "content"}}
    if "content" in state:
        kept["data"] = base64.b64encode(state["content"].encode("utf-8", "surrogateescape")).decode()
    return kept


def restore(kept: State) -> None:
    """Brings back what `keep` described."""
    path, now = kept["path"], look(kept["path"])["type"]
    if kept["type"] == "absent":
        _remove(path, now)
        return
    if now == "file" and kept["type"] in ("directory", "symlink"):
        Path(path).unlink()  # the run that is undone put it there
    make_way(path, now if os.path.lexists(path) else "absent", kept["type"])
    if kept["type"] == "symlink":
        link(path, kept["target"])
    elif kept["type"] == "file" and "data" in kept:
        data = base64.b64decode(kept["data"])
        write(path, data, owner=kept["owner"], group=kept["group"], mode=int(kept["mode"], 8))
    elif kept["type"] == "directory":
        Path(path).mkdir(exist_ok=True)
        own(path, kept["owner"], kept["group"], kept["mode"])
    else:
        own(path, kept["owner"], kept["group"], kept["mode"])


def own(path: str, owner: str, group: str, mode: str) -> None:
    uid, gid = ids(owner, group)
    os.chown(path, uid, gid, follow_symlinks=False)
    Path(path).chmod(int(mode, 8))


def _remove(path: str, now: str) -> None:
    if now == "directory":
        with contextlib.suppress(OSError):  # something else has put files there since: they stay
            Path(path).rmdir()
    elif now != "absent":
        Path(path).unlink()


def remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
