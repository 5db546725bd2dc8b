"""Disks of a few megabytes that a test may fill, break and take away. They need root: a test says so when it cannot."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILLER = ".filler"


@contextmanager
def tmpfs(place: Path, size: str = "3m") -> Iterator[Path]:
    """A small disk in memory at `place`: full means ENOSPC from the kernel."""
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "none", str(place))
    try:
        yield place
    finally:
        _unmount(place)


@contextmanager
def ext4(place: Path, image: Path, megabytes: int = 16) -> Iterator[Path]:
    """An ext4 file system that goes read-only when it finds itself damaged, as Debian's root file system does."""
    place.mkdir(exist_ok=True)
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    _run("mkfs.ext4", "-q", "-F", str(image))
    _mount("-o", "loop,errors=remount-ro", str(image), str(place))
    try:
        yield place
    finally:
        _unmount(place)


def fill(disk: Path, leave: int = 0) -> Path:
    """Takes all the space but `leave` bytes; deleting the file that is returned gives it back."""
    filler = disk / FILLER
    with filler.open("wb") as file:
        for size in (65_536, 4096, 512):
            try:
                while os.write(file.fileno(), bytes(size)):
                    pass
            except OSError:
                continue
    os.truncate(filler, max(0, filler.stat().st_size - leave))
    return filler


def damage(disk: Path) -> None:
    """Has the kernel find an error on an ext4 disk; returns when it is read-only."""
    source = _run("findmnt", "-no", "SOURCE", str(disk)).strip()
    Path(f"/sys/fs/ext4/{Path(source).name}/trigger_fs_error").write_text("a test\n")
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        try:
            (disk / ".probe").touch()
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail("the disk did not become read-only")


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not let us mount a disk: {done.stderr.strip()}")


def _unmount(place: Path) -> None:
    """Lazily: a process that is being killed may hold it for a moment longer."""
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
