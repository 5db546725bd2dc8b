"""Raw pastes, kept until their entry is in the log book and for a while after: `journal/inbox/` beside journal.md.

Each is a folder (0700) of files (0600): `paste.txt`, every byte as it came, secrets included; `record.json`, what is
known and how far it got; `entry.md`, its entry once there is one. Each step is on the disk, file and folder, before the
next one begins, so whatever stops a run, the next one knows where to go on:

    receiving -> stored -> drafted -> writing -> written -> done
                                                    ^           |
                                                    improving <-+  (made without a model, and a model answers later)
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from runtime import clock, disk
from runtime.journal.book import BookError

RECEIVING, STORED, DRAFTED, WRITING, WRITTEN, IMPROVING, DONE = STATES = (
    "receiving", "stored", "drafted", "writing", "written", "improving", "done",
)  # fmt: skip
MODEL, RULES = "model", "rules"
PASTE, PART, RECORD, ENTRY, BETTER = "paste.txt", "paste.part", "record.json", "entry.md", "better.md"


@dataclass
class Record:
    """A paste and what became of it. `save` makes what was changed last."""

    folder: Path
    title: str
    book: str
    """The log book's file name: several may lie in one folder."""
    received: str
    state: str = RECEIVING
    wanted: bool = True
    """A model may make the entry, now or later."""
    by: str = ""
    why: str = ""
    """Why no model made it."""
    masked: dict[str, int] = field(default_factory=dict)
    heading: str = ""
    place: tuple[int, int, int] | None = None
    """Device, inode and size of the log book when the entry was about to be appended."""
    ended: str = ""
    left: str = ""
    """Why the entry is not to be improved any more."""

    @property
    def waits(self) -> bool:
        """Whether its entry is not safely in the log book yet."""
        return self.state != DONE

    @property
    def can_improve(self) -> bool:
        return self.state == DONE and self.by != MODEL and self.wanted and not self.left

    def save(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        known = {name: value for name, value in asdict(self).items() if name != "folder"}
        self.put(RECORD, json.dumps(known, ensure_ascii=False, indent=1).encode(errors="replace"))

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the record whole, and have it on the disk."""
        draft = self.folder / f".{name}.new"
        with _open_private(draft) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
        disk.sync(self.folder)

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def get(self, name: str) -> bytes:
        """Raises BookError when it cannot be read."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise BookError(f"{self.folder / name}: {error.strerror}") from error

    def settle(self, name: str, into: str) -> None:
        """Rename a file of the record, durably."""
        (self.folder / name).replace(self.folder / into)
        disk.sync(self.folder)

    def remove(self) -> None:
        shutil.rmtree(self.folder)
        disk.sync(self.folder.parent)


class Inbox:
    """The pastes of one log book."""

    def __init__(self, book: Path) -> None:
        self.book = book.name
        self.folder = book.parent / "journal" / "inbox"

    def receive(self, title: str, chunks: Iterable[bytes], *, wanted: bool) -> Record | None:
        """Store a paste as it comes in; None, and nothing left, when it is blank. Raises BookError."""
        try:
            with _making(self.folder):
                record = self._new(title, wanted)
            with locked(record):
                return record if _stored(record, chunks) else None
        except OSError as error:
            hint = f"it must be writable, and its disk must have room: {self.folder}"
            raise BookError(f"the paste cannot be stored: {error.strerror or error}", hint) from error

    def records(self) -> list[Record]:
        """All, oldest first. A folder without a record that can be read is left alone."""
        found = [_read(folder) for folder in sorted(self.folder.glob("*Z-*"))]
        return [record for record in found if record is not None and record.book == self.book]

    def headings(self) -> set[str]:
        return {record.heading for record in self.records()}

    def tidy(self, keep_days: float) -> None:
        """Remove what has been in the log book for longer than `keep_days`; 0 keeps everything."""
        for record in self.records() if keep_days else []:
            old = record.ended and (clock.now() - clock.from_iso(record.ended)).total_seconds() > keep_days * 86_400
            if record.state == DONE and old:
                record.remove()

    def _new(self, title: str, wanted: bool) -> Record:
        now = clock.iso(clock.now())
        name = f"{now[:19].replace('-', '').replace(':', '')}Z-{secrets.token_hex(3)}"
        record = Record(self.folder / name, title, self.book, now, wanted=wanted)
        record.folder.mkdir(mode=0o700)
        record.save()
        disk.sync(self.folder)
        return record


@contextmanager
def locked(record: Record) -> Iterator[None]:
    """Hold the record for this process. Raises BookError when another one is at work on it."""
    fd = os.open(record.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BookError(f"{record.folder.name} is being saved by another process") from None
    finally:
        os.close(fd)


def adopt(record: Record) -> bool:
    """Make of what came in before the run was killed a stored paste; False, and nothing left, when it is blank."""
    if not record.has(PASTE):
        part = record.folder / PART
        if not part.exists() or _is_blank(part):
            record.remove()
            return False
        record.settle(PART, PASTE)
    record.save(state=STORED)
    return True


def _stored(record: Record, chunks: Iterable[bytes]) -> bool:
    with _open_private(record.folder / PART) as file:
        for chunk in chunks:
            file.write(chunk)
            file.flush()
        os.fsync(file.fileno())
    return adopt(record)


def _is_blank(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(re.search(rb"[^\s\0]", piece) for piece in iter(lambda: file.read(1 << 16), b""))


def _open_private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


@contextmanager
def _making(folder: Path) -> Iterator[None]:
    """The folder, made when absent, for its owner alone; what is made is on the disk."""
    folder.parent.mkdir(exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    yield
    disk.sync(folder.parent)
    disk.sync(folder.parent.parent)


def _read(folder: Path) -> Record | None:
    try:
        known = json.loads((folder / RECORD).read_bytes())
        names = {one.name for one in fields(Record)}
        record = Record(folder, **{name: value for name, value in known.items() if name in names})
        record.place = (record.place[0], record.place[1], record.place[2]) if record.place else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return record if record.state in STATES else None
