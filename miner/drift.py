"""Counts the managed paths of this host that somebody changed since the last deploy. Runs as root, for the monitor.

    python -m miner.drift --to FILE [--holds SECONDS]

A deploy leaves how each path must be (ops/agent/managed.py: hashes and rights). What differs is written to FILE, which
everybody may read and which names paths and never contents: {"count": 1, "files": ["/etc/timezone: content"], "until":
epoch}. After `until` nobody should believe it any more. While a deploy is at work it waits: half a deploy is no drift.
Standard library only, apart from the clock.
"""

from __future__ import annotations

import argparse
import fcntl
import grp
import hashlib
import json
import logging
import os
import pwd
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runtime import clock, logs

MANAGED = Path("/var/lib/trading-ops/managed.json")
LOCK = Path("/run/trading-ops/lock")
"""Held by the deploy that is at work."""
LOOK_AGAIN = 0.2
NAMED = 50
"""Paths that are named; all are counted."""
log = logging.getLogger("miner.drift")

Mark = Mapping[str, Any]


def drifted(marks: Iterable[Mark]) -> list[str]:
    """The paths that are not as they were left, each with what of it differs."""
    found = ((mark["path"], difference(mark)) for mark in marks)
    return sorted(f"{path}: {what}" for path, what in found if what)


def difference(mark: Mark) -> str:
    """What of one path differs, or "". OSError when it may not be looked at."""
    try:
        return _LOOKS[mark["type"]](mark)
    except (FileNotFoundError, NotADirectoryError):
        return "gone"


def _file(mark: Mark) -> str:
    info = os.lstat(mark["path"])
    if not stat.S_ISREG(info.st_mode):
        return "no file any more"
    return _access(mark, info) or _content(mark)


def _content(mark: Mark) -> str:
    wanted = mark.get("sha256")
    return "content" if wanted and _sha256(Path(mark["path"]).read_bytes()) != wanted else ""


def _directory(mark: Mark) -> str:
    """Behind a link too: somebody may have moved it to another disk."""
    info = Path(mark["path"]).stat()
    return _access(mark, info) if stat.S_ISDIR(info.st_mode) else "no directory any more"


def _symlink(mark: Mark) -> str:
    path = Path(mark["path"])
    if not path.is_symlink():
        return "no link any more" if path.exists() else "gone"
    return "" if str(path.readlink()) == mark["target"] else "target"


def _block(mark: Mark) -> str:
    """Our own lines in somebody else's file; the others are theirs."""
    lines = Path(mark["path"]).read_bytes().splitlines(keepends=True)
    begin, end = (f"# {word} trading-ops {mark['title']}".encode() for word in ("BEGIN", "END"))
    places = [[n for n, line in enumerate(lines) if line.startswith(edge)] for edge in (begin, end)]
    if [len(place) for place in places] != [1, 1]:
        return "our lines"
    (first,), (last,) = places
    return "" if _sha256(b"".join(lines[first + 1 : last])) == mark["sha256"] else "our lines"


_LOOKS: Mapping[str, Callable[[Mark], str]] = {
    "file": _file, "directory": _directory, "symlink": _symlink, "block": _block,
}  # fmt: skip


def _access(mark: Mark, info: os.stat_result) -> str:
    found = {"owner": _user(info.st_uid), "group": _group(info.st_gid), "mode": f"{stat.S_IMODE(info.st_mode):04o}"}
    return ", ".join(f"{name} {value} instead of {mark[name]}" for name, value in found.items() if value != mark[name])


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wait_for_deploy(lock: Path, seconds: float) -> bool:
    """Returns once no deploy is at work; False when one still is after so many seconds."""
    limit = clock.steady() + seconds
    while _is_held(lock):
        if clock.steady() > limit:
            return False
        time.sleep(LOOK_AGAIN)
    return True


def _is_held(lock: Path) -> bool:
    """Let go of at once: a deploy that begins now must not wait for us."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def left_by_deploys(managed: Path) -> list[Mark]:
    """What was applied since the last healthy deploy counts before what that one left."""
    said = json.loads(managed.read_text())
    return list({**said["settled"], **said["since"]}.values())


def tell(to: Path, found: Sequence[str], until: float) -> None:
    """Whole or not at all, for everybody to read."""
    new = to.with_name(f".{to.name}.new")
    new.write_text(json.dumps({"count": len(found), "files": found[:NAMED], "until": until}) + "\n")
    new.chmod(0o644)
    new.replace(to)


def work(options: argparse.Namespace) -> None:
    if not wait_for_deploy(options.lock, options.patience):
        log.info("a deploy is still at work: the next look is after it")
        return
    try:
        marks = left_by_deploys(options.managed)
    except FileNotFoundError:
        log.info("no deploy has said yet how this host must be")
        return
    found = drifted(marks)
    if str(options.to) == "-":
        sys.stdout.write(json.dumps({"count": len(found), "files": found[:NAMED]}) + "\n")
        return
    tell(options.to, found, clock.now().timestamp() + options.holds)
    log.info("%d of %d managed paths were changed%s", len(found), len(marks), "".join(f"; {one}" for one in found[:9]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="miner.drift", description="counts what was changed by hand on this host")
    parser.add_argument("--to", type=Path, required=True, help="the file that the monitor reads; -: stdout")
    parser.add_argument("--holds", type=float, default=1800, help="seconds that it may be believed")
    parser.add_argument("--patience", type=float, default=3600, help="seconds to wait for a deploy that is at work")
    parser.add_argument("--managed", type=Path, default=MANAGED)
    parser.add_argument("--lock", type=Path, default=LOCK)
    return parser


def main() -> None:
    logs.configure()
    work(_parser().parse_args())


if __name__ == "__main__":
    main()
