"""Putting a full file aside: `events.jsonl` becomes `events-0000012345.jsonl.gz`, named by the last event in it.

By the one who writes it, between two batches: no entry is under way then, so none can be lost or doubled, whenever the
machine stops. Moving is one rename. Packing makes a second file and removes the first when it is safe on the disk;
what a crash leaves of that is found and finished at the next start.
"""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

from runtime import disk
from runtime.journal.file import MODE, open_journal
from runtime.settings import Rotation

_PART = ".part"


def rotate(path: Path, rules: Rotation, upto: int) -> bool:
    """Put `path` aside when it is full; `upto` is the last event in it. Raises OSError, JournalError."""
    if not path.exists() or path.stat().st_size < rules.limit:
        return False
    with open_journal(path) as journal:
        journal.rename(_free(path, upto))
    return True


def tidy(path: Path, rules: Rotation) -> None:
    """Pack what was put aside, and remove the oldest. Raises OSError; what is left is done the next time."""
    for left in path.parent.glob(f"{path.stem}-*{_PART}"):
        left.unlink()
    for plain in _aside(path):
        if plain.suffix != ".gz":
            _pack(plain)
    for old in _aside(path)[: -rules.keep]:
        old.unlink()


def _aside(path: Path) -> list[Path]:
    """Files that were put aside, oldest first."""
    names = (f"{path.stem}-[0-9]*{path.suffix}", f"{path.stem}-[0-9]*{path.suffix}.gz")
    return sorted(
        (found for name in names for found in path.parent.glob(name)), key=lambda found: found.stat().st_mtime_ns
    )


def _free(path: Path, upto: int) -> Path:
    """A name that nothing has: a store that was made anew counts from 1 again."""
    name, count = f"{path.stem}-{upto:010}", 1
    while any((path.parent / f"{name}{path.suffix}{end}").exists() for end in ("", ".gz")):
        count += 1
        name = f"{path.stem}-{upto:010}-{count}"
    return path.with_name(name + path.suffix)


def _pack(plain: Path) -> None:
    packed = plain.with_name(plain.name + ".gz")
    part = packed.with_name(packed.name + _PART)
    times = plain.stat()
    with plain.open("rb") as source, part.open("wb") as target:
        os.fchmod(target.fileno(), MODE)
        with gzip.GzipFile(plain.name, "wb", 6, target, mtime=times.st_mtime) as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
    part.replace(packed)
    disk.sync(packed.parent)
    plain.unlink()
