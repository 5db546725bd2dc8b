"""Running programs for the lab: every failure becomes one LabError with the program's own last words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.errors import LabError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment() -> dict[str, str]:
    """Ours with the system directories on PATH (a user's has no sbin) and apt kept from asking questions."""
    path = f"{os.environ.get('PATH', '')}:{PATH}"
    return {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def run(
    command: Sequence[str | Path], *, stdin: str = "", what: str = "", environ: Mapping[str, str] | None = None
) -> str:
    """Runs a program and returns what it printed; `what` says in an error what it was for."""
    words = [str(word) for word in command]
    env = {**environment(), **(environ or {})}
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, env=env, check=False)
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed", hint=f"apt-get install the package of {words[0]}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"{what or ' '.join(words)}: exit status {done.returncode}\n{tail(said)}")
    return done.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether the program can be run and exits 0."""
    try:
        run(command)
    except LabError:
        return False
    return True


def output(command: Sequence[str]) -> str:
    """What a program printed. Raises OSError or CalledProcessError."""
    return subprocess.run(list(command), capture_output=True, text=True, env=environment(), check=True).stdout


def tail(text: str, lines: int = 15) -> str:
    """The last lines of a program's output, indented for use within a message."""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, in this order of arrival; the kernel lets go of it when the holder dies.

    The file may be removed by its holder, so a waiter checks that what it got is still the file everyone sees.
    """
    import fcntl

    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = path.open("a")
        except FileNotFoundError:
            continue  # the last holder has just removed the folder as well
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists() and os.fstat(handle.fileno()).st_ino == path.stat().st_ino:
                yield
                return
