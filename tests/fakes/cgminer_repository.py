"""The stand-in for cgminer's source behind a real git server, for hosts that clone it.

Branch `master` has the gekko driver, `old` is a tree of before: it takes --enable-gekko and says nothing.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("cgminer_source")


def git(at: Path, *words: str) -> str:
    base = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(at)]
    return subprocess.run([*base, *words], capture_output=True, text=True, check=True).stdout.strip()


def make(folder: Path) -> Path:
    """folder/cgminer.git with both branches."""
    tree = folder / "tree"
    shutil.copytree(SOURCE, tree)
    git(tree, "init", "-q", "-b", "master")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "with the driver")
    git(tree, "checkout", "-qb", "old")
    git(tree, "rm", "-q", "driver-gekko.c")
    git(tree, "commit", "-qm", "before there was a driver")
    git(tree, "checkout", "-q", "master")
    git(folder, "clone", "-q", "--bare", str(tree), "cgminer.git")
    return folder / "cgminer.git"


@contextmanager
def served(folder: Path, address: str = "127.0.0.1") -> Iterator[str]:
    """The URL that `folder`/cgminer.git is cloned from, while it is served."""
    with socket.create_server((address, 0)) as probe:
        port = probe.getsockname()[1]
    words = ["git", "daemon", f"--listen={address}", f"--port={port}", f"--base-path={folder}", "--export-all"]
    server = subprocess.Popen(
        [*words, "--reuseaddr", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"git://{address}:{port}/cgminer.git"
    finally:
        server.terminate()
        server.wait()
