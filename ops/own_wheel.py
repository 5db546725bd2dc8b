"""The wheel of our own services: a function of the sources, on every controller the same bytes.

So a release's name changes when, and only when, what runs on the host changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ops import paths
from ops.errors import ReleaseError
from ops.wheelhouse import sha256

Sources = Mapping[str, bytes]
"""Path within the project -> content, of all that goes into the wheel."""

EPOCH = "1580601600"  # 2020-02-02, the time stamp of every file in the wheel


def sources() -> Sources:
    """pyproject.toml and the packages it ships. Hidden files stay behind: an .env has no place in a wheel."""
    project = (paths.ROOT / "pyproject.toml").read_bytes()
    packages = tomllib.loads(project.decode())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    found = {"pyproject.toml": project}
    for package in packages:
        for folder, below, names in os.walk(paths.ROOT / package):
            below[:] = [name for name in below if name != "__pycache__" and name[0] != "."]
            kept = (f"{folder}/{name}" for name in names if name[0] != "." and not name.endswith((".pyc", "~")))
            found |= {os.path.relpath(path, paths.ROOT): Path(path).read_bytes() for path in kept}
    return found


def digest(tree: Sources) -> str:
    """sha256 (hex) over every path and content."""
    total = hashlib.sha256()
    for name, data in sorted(tree.items()):
        total.update(f"{name}\0{len(data)}\0".encode() + data)
    return total.hexdigest()


def build(tree: Sources, say: Callable[[str], None]) -> Path:
    """The wheel of `tree` in the cache, built unless it lies there as it was built. Raises ReleaseError.

    It is kept as own/<digest of tree>/<sha256 of wheel>/NAME, so that the path says what the bytes must be.
    """
    home = paths.CACHE / "wheels" / "own" / digest(tree)
    if ready := next((path for path in home.glob("*/*.whl") if sha256(path) == path.parent.name), None):
        os.utime(home)  # what is in use is not old
        return ready
    say("building the wheel of our own services")
    with tempfile.TemporaryDirectory() as scratch:
        made = _hatchling(tree, Path(scratch))
        target = home / sha256(made) / made.name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".draft")
        draft.write_bytes(made.read_bytes())
        return draft.rename(target)


def _hatchling(tree: Sources, scratch: Path) -> Path:
    """Builds a copy: nothing is written to the checkout, and its .gitignore leaves no module out."""
    _copy(tree, scratch / "tree")
    command = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch / "out")]
    environment = {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=scratch / "tree", env=environment, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join(f"  | {line[:200]}" for line in (done.stdout + done.stderr).strip().splitlines()[-6:])
        raise ReleaseError(f"our own wheel does not build:\n{said}", hint="look at pyproject.toml and our packages")
    (built,) = (scratch / "out").glob("*.whl")
    return _uncompressed(built, scratch / built.name)


def _copy(tree: Sources, folder: Path) -> None:
    for name, data in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / ".gitignore").touch()  # hatchling takes the nearest one above otherwise
    (folder / "README.md").touch()  # pyproject.toml names it, but a word changed there is not a new release


def _uncompressed(wheel: Path, target: Path) -> Path:
    """Deflate's output differs between zlib and its successors in newer Pythons; stored bytes do not."""
    with zipfile.ZipFile(wheel) as packed, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as plain:
        for info in packed.infolist():
            entry = zipfile.ZipInfo(info.filename, info.date_time)
            entry.external_attr = info.external_attr
            plain.writestr(entry, packed.read(info))
    return target
