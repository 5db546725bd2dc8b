"""A log book in a git repository of its own, and `journal.save` run on it as a person runs it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from ops.paths import ROOT
from runtime.journal.__main__ import main
from runtime.journal.book import Entry, parse
from runtime.journal.inbox import Inbox, Record
from tests.fakes.openai import KEY

BEFORE = "## 2026-03-01 09:00 — Avant\nUne note.\n"
PASTE = """\
Vous avez dit :
Je veux un journal qui ne perd rien.

ChatGPT a dit :
## Actions
- Installer le service
- Lire <b>gras</b>

```bash
# pas un titre
./inv deploy --host lab
```

Nous avons décidé de garder SSH.

### À faire
1. Vérifier la sauvegarde
"""


@dataclass
class Place:
    """The log book's folder; `env` is all that a run is told besides."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def book(self) -> Path:
        return self.folder / "journal.md"

    @property
    def text(self) -> str:
        return self.book.read_text(errors="replace")

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.book)

    @property
    def records(self) -> list[Record]:
        return self.inbox.records()

    @property
    def sessions(self) -> list[Entry]:
        return [entry for entry in parse(self.book.read_bytes()).entries() if entry.kind == "session"]

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def everything(self) -> bytes:
        """The log book and every object of the repository, unpacked."""
        names = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").encode()
        objects = subprocess.run(
            ["git", "cat-file", "--batch"], cwd=self.folder, input=names, capture_output=True, check=True
        )
        return self.book.read_bytes() + objects.stdout

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {"JOURNAL_PATH": str(self.book), "PYTHONPATH": str(ROOT)} | self.env

    def spawn(self, *words: str, paste: bytes | str = b"") -> subprocess.CompletedProcess[str]:
        """In a process of its own, the paste on its standard input."""
        data = paste if isinstance(paste, bytes) else paste.encode()
        command = [sys.executable, "-P", "-m", "runtime.journal", *words]
        options = {
            "cwd": self.folder,
            "env": self.environment(),
            "capture_output": True,
            "check": False,
            "timeout": 120,
        }
        done = subprocess.run(command, input=data, **options)
        return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())

    def run(self, *words: str, paste: bytes | str | None = None) -> subprocess.CompletedProcess[str]:
        """The same within this process, which has everything loaded, and without a push; the paste is in a file."""
        if paste is not None:
            file = self.folder.with_name(f"{self.folder.name}-paste.txt")
            file.write_bytes(paste if isinstance(paste, bytes) else paste.encode())
            words = (*words[:2], str(file), *words[2:])
        out, err = io.StringIO(), io.StringIO()
        still = patch("runtime.journal.vcs.sync_later")  # what tests look at is not to move under their eyes
        with still, patch.dict(os.environ, self.environment(), clear=True), redirect_stdout(out), redirect_stderr(err):
            code = main(list(words))
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def uses(self, url: str, **more: str) -> None:
        """From now on there is a model at `url`."""
        self.env |= {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": url,
            "OPENAI_RETRIES": "1",
            "OPENAI_TIMEOUT": "20",
            **more,
        }


def place(folder: Path) -> Place:
    made = Place(folder)
    made.book.write_text(BEFORE)
    (folder / ".gitignore").write_text("journal/inbox/\n*.md.*.bak\n")
    made.git("init", "-q", "-b", "main", "--template=")
    for name, value in (("user.name", "T"), ("user.email", "t@example.org")):
        made.git("config", name, value)
    made.git("add", ".")
    made.git("commit", "-qm", "before")
    return made
