"""A cpio archive as Linux unpacks it before it starts: one file after the other behind a header of hex digits.

Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst (newc). Archives may follow one another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def pack(tree: Path, prefix: str = "") -> bytes:
    """Everything below `tree`, as root's, with its modes; names begin with `prefix`."""
    number = 0
    parts = []
    for number, (name, path) in enumerate(_entries(tree, prefix), start=1):
        parts.append(_entry(number, name, path))
    parts.append(_record(number + 1, "TRAILER!!!", 0, b""))
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % 512)


def _entries(tree: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    if prefix:
        yield prefix, tree
    for path in sorted(tree.rglob("*")):
        yield f"{prefix}/{path.relative_to(tree)}".lstrip("/"), path


def _entry(number: int, name: str, path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _record(number, name, mode, os.fsencode(path.readlink()))
    return _record(number, name, mode, path.read_bytes() if stat.S_ISREG(mode) else b"")


def _record(number: int, name: str, mode: int, content: bytes) -> bytes:
    encoded = os.fsencode(name) + b"\0"
    # inode, mode, uid, gid, links, time, size, device (2), device of a device file (2), length of the name, checksum
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return _padded(head) + _padded(content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
