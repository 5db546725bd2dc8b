"""Wheels for a machine that is not this one: what a lock means there, and fetching exactly that.

The locks decide which bytes are accepted, pip's own configuration on this machine decides where they come from.
A wheel reaches the cache by one rename after its hash was checked, so the cache never holds half of one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops import paths
from ops.errors import ReleaseError

Say = Callable[[str], None]

GLIBC = 36  # Debian 12 has glibc 2.36
ARCHES = {"x86_64": 5, "aarch64": 17}
"""Architecture -> the oldest minor version of glibc 2 that manylinux tags know for it (PEP 600)."""
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
POINT_RELEASES = {"3.11": "3.11.2"}
"""Debian 12's own Python, for markers such as `python_full_version < "3.11.3"`."""

_OFFLINE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|SSLError|ProxyError|ConnectionError|ConnectionReset"
)
_HINTS = (
    ("No module named pip", "this Python has no pip: remove .venv and run ./inv again"),
    ("DO NOT MATCH THE HASHES", "the index has other bytes than were locked: find out why before locks/update"),
    (
        "No matching distribution",
        "pin a version that has a wheel for this target and run locks/update; `pip config list`"
        " shows which index was asked",
    ),
    ("No space left", "free space in the checkout and in the temporary directory"),
)


@dataclass(frozen=True)
class Target:
    """The Python that wheels are for: CPython `python` ("3.11") on Debian 12, `arch` as `uname -m` says."""

    arch: str
    python: str

    def __post_init__(self) -> None:
        if self.arch not in ARCHES:
            raise ReleaseError(f'no release for architecture "{self.arch}"', hint=f"hosts may be {' or '.join(ARCHES)}")
        if not re.fullmatch(r"3\.\d+", self.python):
            raise ReleaseError(f'no release for Python "{self.python}"', hint='give two numbers, as in "3.11"')

    def __str__(self) -> str:
        return f"Debian 12 {self.arch}, Python {self.python}"

    @property
    def full(self) -> str:
        return POINT_RELEASES.get(self.python, f"{self.python}.0")

    @property
    def tag(self) -> str:
        return "cp" + self.python.replace(".", "")

    @property
    def home(self) -> Path:
        """Each target has its own folder: whatever fits a pin in there is what pip chose for this target."""
        return paths.CACHE / "wheels" / f"{self.tag}-{self.arch}"

    def environment(self) -> dict[str, str]:
        """Values of all environment markers (PEP 508) on the host, whatever the controller is."""
        return {
            "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": self.arch,
            "platform_release": "6.1.0", "platform_version": "Debian 12", "platform_python_implementation": "CPython",
            "implementation_name": "cpython", "implementation_version": self.full, "python_version": self.python,
            "python_full_version": self.full, "extra": "",
        }  # fmt: skip

    def platforms(self) -> Iterator[str]:
        """Platform tags the host can load, best first: pip takes the first that a wheel has."""
        for minor in range(GLIBC, ARCHES[self.arch] - 1, -1):
            yield f"manylinux_2_{minor}_{self.arch}"
            if minor in LEGACY:
                yield f"{LEGACY[minor]}_{self.arch}"
        yield f"linux_{self.arch}"


@dataclass(frozen=True)
class Pin:
    """One locked package: canonical name, version, the sha256 (hex) of each file that is accepted, and whose lock."""

    name: str
    version: str
    hashes: frozenset[str]
    lock: str


def merge(locks: Mapping[str, str], target: Target) -> dict[str, Pin]:
    """Lock name -> text becomes package name -> pin: what `target` needs of all of them.

    Raises ReleaseError when two locks pin a package differently, or a line is not `name==version --hash=sha256:...`.
    """
    chosen: dict[str, Pin] = {}
    for lock, text in locks.items():
        for pin in _pins(lock, text, target.environment()):
            other = chosen.setdefault(pin.name, pin)
            if (pin.version, pin.hashes) != (other.version, other.hashes):
                raise ReleaseError(_conflict(other, pin), hint="one environment holds one of them: run locks/update")
    return chosen


def _conflict(one: Pin, two: Pin) -> str:
    if one.version == two.version:
        return f"{one.name} {one.version} has other hashes in locks/{one.lock}.txt than in locks/{two.lock}.txt"
    return f"{one.name} is {one.version} in locks/{one.lock}.txt and {two.version} in locks/{two.lock}.txt"


def _pins(lock: str, text: str, environment: dict[str, str]) -> Iterator[Pin]:
    for line in text.replace("\\\n", " ").splitlines():
        if not (line := line.strip()) or line.startswith("#"):
            continue
        if pin := _pin(lock, line, environment):
            yield pin


def _pin(lock: str, line: str, environment: dict[str, str]) -> Pin | None:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    spec, *hashes = re.split(r"\s+--hash=sha256:", line)
    try:
        wanted = Requirement(spec)
        (exact,) = (part.version for part in wanted.specifier if part.operator == "==")
    except (InvalidRequirement, ValueError):
        hashes = []
    if not hashes:
        raise ReleaseError(f"locks/{lock}.txt: not a pin with hashes: {line[:80]}", hint="run locks/update")
    if wanted.marker and not wanted.marker.evaluate(environment):
        return None
    return Pin(canonicalize_name(wanted.name), exact, frozenset(hashes), lock)


def fetch(pins: Mapping[str, Pin], target: Target, say: Say) -> dict[str, Path]:
    """Package name -> its wheel in the cache, each with a hash its lock accepts; only missing ones are downloaded.

    The caller holds the cache's lock. Raises ReleaseError with pip's last words when a wheel cannot be had.
    """
    target.home.mkdir(parents=True, exist_ok=True)
    for stale in target.home.glob(".fetch-*"):  # left by a run that was killed: nobody else is here now
        shutil.rmtree(stale)
    found = _checked(target.home, pins, say)
    if missing := [pin for name, pin in sorted(pins.items()) if name not in found]:
        say(f"downloading {len(missing)} of {len(pins)} wheels for {target}")
        found |= _download(missing, target, say)
    return found


def _checked(folder: Path, pins: Mapping[str, Pin], say: Say) -> dict[str, Path]:
    """The wheels in `folder` that `pins` ask for. One whose bytes changed is removed, to be fetched again."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.whl")):
        pin = pins.get(_package(path)[0])
        if pin is None or _package(path)[1] != _normal(pin.version):
            continue
        if sha256(path) in pin.hashes:
            found[pin.name] = path
        else:
            say(f"{path.name} in the cache is not what locks/{pin.lock}.txt says: fetching it again")
            path.unlink()
    return found


def _package(path: Path) -> tuple[str, str]:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        name, version, *_ = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return "", ""
    return name, str(version)


def _normal(version: str) -> str:
    from packaging.version import Version

    return str(Version(version))


def sha256(path: Path) -> str:
    """In hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _download(missing: Iterable[Pin], target: Target, say: Say) -> dict[str, Path]:
    wanted = {pin.name: pin for pin in missing}
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.home) as scratch:
        _pip(wanted.values(), target, Path(scratch))
        arrived = _checked(Path(scratch), wanted, say)
        if lost := sorted(wanted.keys() - arrived.keys()):
            raise ReleaseError(f"pip brought other wheels than {', '.join(lost)} for {target}", hint=_HINTS[1][1])
        return {name: path.rename(target.home / path.name) for name, path in arrived.items()}


def _line(pin: Pin) -> str:
    return f"{pin.name}=={pin.version} {' '.join(f'--hash=sha256:{one}' for one in sorted(pin.hashes))}\n"


def _pip(pins: Iterable[Pin], target: Target, folder: Path) -> None:
    listed = folder / "wanted.txt"
    listed.write_text("".join(_line(pin) for pin in pins))
    command = [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", target.full, "--abi", target.tag, "--abi", "abi3", "--abi", "none"]
    command += [word for platform in target.platforms() for word in ("--platform", platform)]
    done = subprocess.run([*command, "-d", str(folder), "-r", str(listed)], capture_output=True, text=True)
    if done.returncode:
        raise _refusal(done.stdout + done.stderr, target)


def _refusal(output: str, target: Target) -> ReleaseError:
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    said = "\n".join(f"  | {line[:200]}" for line in lines[-6:])
    hint = next((hint for sign, hint in _HINTS if sign in output), "`pip config list` shows where wheels come from")
    if _OFFLINE.search(output):
        hint = "no package index answers here: check the network and `pip config list`, then run this again"
    return ReleaseError(f"the wheels for {target} cannot be downloaded:\n{said}", hint=hint)
