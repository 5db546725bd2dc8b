"""Secrets in every version of a log book that Git keeps: which, in which commits, and whether they were pushed.

No value is told. A piece that stands in many versions is looked at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.journal import scrub
from runtime.journal.book import parse
from runtime.journal.objects import Reader, Repo

SHORTEST = 10
FILE, INDEX = "the file itself", "the index (git add)"


@dataclass(frozen=True, slots=True)
class Version:
    """A commit that changed the log book, and what it then was; the file and the index have no commit."""

    commit: str
    date: str
    blob: str


@dataclass(slots=True)
class Leak:
    """One value in all its versions, in the order of time; `value` is for searching and masking, never for showing."""

    kind: str
    preview: str
    rotate: str
    value: bytes = field(repr=False)
    versions: list[Version] = field(default_factory=list)

    def is_telling(self) -> bool:
        """Whether its value alone says what it is: an ordinary word is masked only where it stands as a key."""
        return len(self.value) >= SHORTEST and not self.value.isalpha()


@dataclass(slots=True)
class Found:
    """What a search came to. `blobs` are the versions that hold a secret."""

    repo: Repo
    leaks: list[Leak]
    blobs: set[str]
    versions: int
    pushed: set[str]

    def telling(self) -> list[bytes]:
        """The values that are looked for, and masked, wherever they stand."""
        return [leak.value for leak in self.leaks if leak.is_telling()]

    def json(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": leak.kind,
                "preview": leak.preview,
                "rotate": leak.rotate,
                "commits": [{"id": one.commit, "date": one.date} for one in leak.versions if one.date],
                "in_file": any(one.commit == FILE for one in leak.versions),
                "in_index": any(one.commit == INDEX for one in leak.versions),
                "pushed": self.was_pushed(leak),
            }
            for leak in self.leaks
        ]

    def was_pushed(self, leak: Leak) -> bool:
        """As far as this clone knows: a remote had a commit with it when it was last asked."""
        return any(one.commit in self.pushed for one in leak.versions)


def search(book: Path) -> Found:
    """Look at every version in every ref, at the index and at the file. Raises BookError."""
    repo = Repo.of(book)
    pushed = (
        set(repo.lines("rev-list", "--remotes")) if repo.lines("for-each-ref", "--count=1", "refs/remotes") else set()
    )
    look = _Look()
    versions = list(_versions(repo))
    with repo.reading() as read:
        for version in versions:
            look.at(version, read)
    if book.exists():
        look.data(Version(FILE, "", ""), book.read_bytes())
    return Found(repo, list(look.leaks.values()), look.blobs, len({one.blob for one in versions}), pushed)


def _versions(repo: Repo) -> Iterator[Version]:
    """Oldest first. `--full-history -m`: a version that a merge threw away is still one that can be fetched."""
    words = (
        "log",
        "--all",
        "--full-history",
        "-m",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--reverse",
        "--topo-order",
    )
    if repo.says("rev-parse", "--verify", "--quiet", "HEAD") or repo.lines("for-each-ref", "--count=1"):
        commit = date = ""
        for line in repo.lines("-c", "log.showRoot=true", *words, "--format=%x01%H %cI", "--", repo.path):
            if line.startswith("\x01"):
                commit, _, date = line[1:].partition(" ")
            elif line.startswith(":") and (blob := line.split()[3]).strip("0"):
                yield Version(commit, date, blob)
    for line in repo.lines("ls-files", "-s", "--", repo.path):
        yield Version(INDEX, "", line.split()[1])


class _Look:
    def __init__(self) -> None:
        self.leaks: dict[bytes, Leak] = {}
        self.blobs: set[str] = set()
        self._known: dict[str, list[bytes]] = {}
        self._seen: dict[bytes, list[scrub.Finding]] = {}

    def at(self, version: Version, read: Reader) -> None:
        if version.blob not in self._known:
            kind, data = read(version.blob)
            self._known[version.blob] = self.data(version, data) if kind == "blob" else []
            return
        for value in self._known[version.blob]:
            self._note(value, version)

    def data(self, version: Version, data: bytes) -> list[bytes]:
        """The values in a version, each noted."""
        values = list(dict.fromkeys(self._values(data)))
        for value in values:
            self._note(value, version)
        if values:
            self.blobs.add(version.blob)
        return values

    def _note(self, value: bytes, version: Version) -> None:
        if version.commit not in {one.commit for one in self.leaks[value].versions[-2:]}:
            self.leaks[value].versions.append(version)

    def _values(self, data: bytes) -> Iterator[bytes]:
        for piece in parse(data).pieces():
            raw = piece.raw
            name = hashlib.sha256(raw).digest()
            if name not in self._seen:
                self._seen[name] = scrub.find(raw)
            for finding in self._seen[name]:
                value = raw[finding.start : finding.end].strip()
                self.leaks.setdefault(value, Leak(finding.kind, finding.preview, finding.rotate, value))
                yield value
