"""The merge driver's place in a repository's own configuration, never the user's: `git pull` merges as we do."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from runtime.journal.git import Repo


def install(repo: Repo) -> None:
    """Raises VcsError, OSError. A bare repository merges nothing by itself."""
    if repo.bare:
        return
    root = Path(__file__).parents[2]
    command = f"PYTHONPATH={shlex.quote(str(root))} {shlex.quote(sys.executable)} -P -m runtime.journal.merge %O %A %B"
    for key, value in (("merge.journal.name", "a log book is a set of entries"), ("merge.journal.driver", command)):
        if repo.get(key) != value:
            repo.do("config", key, value)
    path = repo.top / repo.do("rev-parse", "--git-path", "info/attributes")
    line = f'"{repo.name}" merge=journal -text\n'
    known = path.read_text(errors="replace") if path.exists() else ""
    if line not in known:
        path.parent.mkdir(exist_ok=True)
        path.write_text(known + ("" if not known or known.endswith("\n") else "\n") + line)
