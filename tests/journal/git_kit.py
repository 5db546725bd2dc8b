"""Real repositories for tests: a clone with a log book, and the bare one that stands for GitHub."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clone:
    """A work tree, worked on as a person would: with the git command line."""

    root: Path

    @classmethod
    def init(cls, root: Path, *options: str) -> Clone:
        subprocess.run(["git", "init", "-q", "-b", "main", *options, root], check=True)
        return cls(root)

    @classmethod
    def of(cls, remote: Path | str, root: Path) -> Clone:
        subprocess.run(["git", "clone", "-q", str(remote), root], check=True, capture_output=True)
        return cls(root)

    @property
    def book(self) -> Path:
        return self.root / "journal.md"

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def add(self, entry: str) -> None:
        """An entry at the end, as a person with an editor adds it."""
        old = self.book.read_text() if self.book.exists() else ""
        self.book.write_text(old + ("\n" if old else "") + entry)

    def save(self, entry: str) -> None:
        """The same, committed by hand."""
        self.add(entry)
        self.git("add", "journal.md")
        self.git("commit", "-qm", entry.partition("\n")[0])

    def git(self, *argv: str, check: bool = True) -> str:
        return run(*argv, cwd=self.root, check=check)

    def committed(self, ref: str = "HEAD") -> bytes:
        shown = subprocess.run(["git", "show", f"{ref}:journal.md"], cwd=self.root, capture_output=True, check=True)
        return shown.stdout


def run(*argv: str, cwd: Path, check: bool = True) -> str:
    done = subprocess.run(["git", *argv], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"git {' '.join(argv)}: {done.stderr}{done.stdout}"
    return (done.stdout + done.stderr).strip() if not check else done.stdout.rstrip("\n")
