"""Git's objects, read and written through its plumbing: as many as there are, in memory that does not grow with them.

Formats: https://git-scm.com/docs/gitformat-signature, `git cat-file --batch`, `git hash-object --stdin-paths`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.journal.book import BookError

SAFE = ("--no-replace-objects", "-c", "core.fsync=committed,loose-object", "-c", "core.quotePath=false")
"""What is read is what is stored, and what is written is on the disk before a ref names it."""
UMASK = 0o077


@dataclass(frozen=True, slots=True)
class Repo:
    """The work tree that holds a log book; `path` is the log book in it, as Git spells it."""

    top: Path
    path: str

    @classmethod
    def of(cls, book: Path) -> Repo:
        """Raises BookError when the log book is in no repository."""
        real = book.resolve()
        try:
            command = ["git", "-C", str(real.parent), "rev-parse", "--show-toplevel"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BookError(f"git cannot be run: {error}", "as root: apt-get install git") from error
        if done.returncode:
            raise BookError(f"{book} is in no Git repository", "without --history the file alone is looked at")
        top = Path(done.stdout.removesuffix("\n")).resolve()
        return cls(top, real.relative_to(top).as_posix())

    def git(self, *words: str, given: bytes = b"") -> bytes:
        """What Git says. Raises BookError with its last line."""
        command = ["git", "-C", str(self.top), *SAFE, *words]
        done = subprocess.run(command, input=given, capture_output=True, umask=UMASK, check=False)
        if done.returncode:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise BookError(f"git {words[0]} failed: {last}")
        return done.stdout

    def lines(self, *words: str) -> list[str]:
        return self.git(*words).decode(errors="surrogateescape").splitlines()

    def commits(self) -> list[str]:
        """Every commit that a ref or HEAD reaches, parents first."""
        heads = ["HEAD"] if self.says("rev-parse", "--verify", "--quiet", "HEAD") else []
        return self.lines("rev-list", "--all", *heads, "--topo-order", "--reverse")

    def says(self, *words: str) -> bool:
        """Whether Git answers yes."""
        command = ["git", "-C", str(self.top), *SAFE, *words]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def place(self, name: str) -> Path:
        """A file of Git's own, `MERGE_HEAD` for one."""
        return self.top / self.lines("rev-parse", "--git-path", name)[0]

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """One process that reads objects."""
        command = ["git", "-C", str(self.top), *SAFE, "cat-file", "--batch"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                yield Reader(process)
            finally:
                if process.stdin is not None:
                    process.stdin.close()

    def write(self, kind: str, contents: Sequence[bytes]) -> list[str]:
        """Store objects of a kind; returns their ids."""
        with tempfile.TemporaryDirectory(prefix="logbook-", dir=self.place("")) as folder:
            paths = [Path(folder) / str(number) for number in range(len(contents))]
            for path, content in zip(paths, contents, strict=True):
                path.write_bytes(content)
            listed = "".join(f"{path}\n" for path in paths).encode()
            words = ("hash-object", "-w", "--no-filters", "-t", kind, "--stdin-paths")
            return self.git(*words, given=listed).decode().split()


class Reader:
    """Reads objects one after another."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, name: str) -> tuple[str, bytes]:
        """(kind, content). Raises BookError when there is no such object."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(f"{name}\n".encode())
        self._process.stdin.flush()
        head = self._process.stdout.readline().split()
        if len(head) != 3:
            raise BookError(f"the repository has no object {name}", "look at it: git fsck")
        content = self._process.stdout.read(int(head[2]) + 1)[:-1]
        return head[1].decode(), content


def tree(content: bytes, width: int) -> Iterator[tuple[bytes, bytes, str]]:
    """(mode, name, id) of each line of a tree; an id has `width` bytes."""
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + width
        yield mode, name, content[end + 1 : at].hex()


def with_line(content: bytes, width: int, name: bytes, new: str) -> bytes:
    """A tree whose line `name` leads to the object `new`."""
    lines = tree(content, width)
    made = ((mode, one, new if one == name else old) for mode, one, old in lines)
    return b"".join(mode + b" " + one + b"\0" + bytes.fromhex(ref) for mode, one, ref in made)


def identity(kind: str, content: bytes, width: int) -> str:
    """The id that Git will give: SHA-1, or SHA-256 where ids have 32 bytes."""
    import hashlib

    make = hashlib.sha1 if width == 20 else hashlib.sha256
    return make(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
