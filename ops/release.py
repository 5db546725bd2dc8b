"""The wheelhouse of a release: every wheel a host needs, chosen on the controller for the host's own Python.

The lock files under locks/ say which bytes are accepted; pip's own configuration on this machine says where they come
from. Our services are one more wheel, whose bytes depend on the sources alone. Everything is kept under .cache:

    wheels/cp311-x86_64/*.whl                            what pip chose for that target
    wheels/own/<hash of sources>/<sha256 of wheel>/*.whl ours
    releases/<hash of all inputs>.json                   what was assembled before: a second deploy builds nothing
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ops import own_wheel, paths, wheelhouse
from ops.errors import ReleaseError
from ops.own_wheel import Sources
from ops.wheelhouse import Target

Say = Callable[[str], None]

FORMAT = 1
"""Counts changes of what .cache/releases holds, so that records of an older ops are not believed."""
HOST_LOCK = "host"
INSTALLER = "uv"
KEPT = 20


@dataclass(frozen=True)
class Wheel:
    """One file: its file name, sha256 in hex, size in bytes, and where it lies on the controller."""

    name: str
    sha256: str
    size: int
    path: Path


@dataclass(frozen=True)
class Bundle:
    """All that a host needs to build a release without a package index.

    `id` is `<version>-<12 hex digits>`, the same on any controller for the same wheels, Python and architecture.
    `requirements` has one `name==version --hash=sha256:...` line for each of `wheels`, ours included, and is installed
    with `uv pip install --no-index --find-links DIR --require-hashes --no-deps -r`. `installer` is uv's own wheel.
    """

    id: str
    wheels: tuple[Wheel, ...]
    requirements: str
    installer: Wheel


def assemble(extras: Sequence[str], arch: str, python: str, *, say: Say) -> Bundle:
    """The bundle of one host: `extras` of pyproject.toml for `arch` ("x86_64", "aarch64") and `python` ("3.11").

    Downloads and builds only what .cache does not hold; `say` gets a line for each thing that takes time. Safe to run
    several times at once. Raises ReleaseError when the locks contradict each other, a wheel does not exist for the
    target or is not what its lock says, no index answers, or our own wheel does not build.
    """
    target = Target(arch, python)
    try:
        locks, sources = _locks(sorted(set(extras))), own_wheel.sources()
        key = _key(locks, target, sources)
        if known := _recall(key):
            return known
        with _alone(say):
            return _recall(key) or _remember(key, _assemble(locks, target, sources, say))
    except OSError as error:
        raise ReleaseError(f"the release cannot be assembled: {error}", hint=f"look at {paths.CACHE}") from error


def _locks(extras: Sequence[str]) -> dict[str, str]:
    """Lock name -> text, for the extras and for the installer."""
    for extra in extras:
        if not (paths.LOCKS / f"{extra}.txt").is_file():
            from ops.wording import listed, nearest

            known = sorted(lock.stem for lock in paths.LOCKS.glob("*.txt"))
            message = f'there is no locks/{extra}.txt for the extra "{extra}"{nearest(extra, known)}'
            hint = f"add it to pyproject.toml, then run locks/update; there are {listed(known)}"
            raise ReleaseError(message, hint=hint)
    return {name: (paths.LOCKS / f"{name}.txt").read_text() for name in (*extras, HOST_LOCK)}


def _key(locks: Mapping[str, str], target: Target, sources: Sources) -> str:
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in locks.items()}
    whole = [FORMAT, digests, asdict(target), own_wheel.digest(sources), str(paths.CACHE)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _recall(key: str) -> Bundle | None:
    """The bundle assembled earlier from the same inputs, if its wheels lie there untouched."""
    try:
        record = json.loads((paths.CACHE / "releases" / f"{key}.json").read_text())
        *wheels, installer = [Wheel(**entry | {"path": Path(entry["path"])}) for entry in record["files"]]
        if [_stamp(wheel.path) for wheel in (*wheels, installer)] != record["stamps"]:
            return None
        return Bundle(record["id"], tuple(wheels), record["requirements"], installer)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(key: str, bundle: Bundle) -> Bundle:
    folder = paths.CACHE / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    everything = (*bundle.wheels, bundle.installer)
    record = {
        "id": bundle.id,
        "requirements": bundle.requirements,
        "files": [asdict(wheel) | {"path": str(wheel.path)} for wheel in everything],
        "stamps": [_stamp(wheel.path) for wheel in everything],
    }
    draft = folder / f".{key}"
    draft.write_text(json.dumps(record))
    draft.rename(folder / f"{key}.json")
    _forget(folder.glob("*.json"))
    _forget((paths.CACHE / "wheels" / "own").iterdir())
    return bundle


def _stamp(path: Path) -> list[int]:
    """Tells a file that was touched since from one that was not, without reading it."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _forget(found: Iterable[Path]) -> None:
    """Keeps the newest few: each edit of our code leaves a record and a wheel."""
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)[KEPT:]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _alone(say: Say) -> Iterator[None]:
    """One run at a time fills the cache; the kernel frees the lock when its holder dies."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with (paths.CACHE / "release.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that is assembling a release from this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _assemble(locks: Mapping[str, str], target: Target, sources: Sources, say: Say) -> Bundle:
    everything = wheelhouse.merge(locks, target)
    services = wheelhouse.merge({name: text for name, text in locks.items() if name != HOST_LOCK}, target)
    if INSTALLER not in everything:
        raise ReleaseError(f"locks/{HOST_LOCK}.txt does not lock {INSTALLER}", hint="run locks/update")
    found = {name: _wheel(path) for name, path in wheelhouse.fetch(everything, target, say).items()}
    project = tomllib.loads(sources["pyproject.toml"].decode())["project"]
    chosen = {f"{name}=={pin.version}": found[name] for name, pin in services.items()}
    chosen[f"{project['name']}=={project['version']}"] = _wheel(own_wheel.build(sources, say))
    wheels = tuple(chosen[pin] for pin in sorted(chosen))
    requirements = "".join(f"{pin} --hash=sha256:{chosen[pin].sha256}\n" for pin in sorted(chosen))
    return Bundle(_id(project["version"], wheels, target), wheels, requirements, found[INSTALLER])


def _id(version: str, wheels: Sequence[Wheel], target: Target) -> str:
    content = [*sorted(wheel.sha256 for wheel in wheels), target.python, target.arch]
    return f"{version}-{hashlib.sha256(' '.join(content).encode()).hexdigest()[:12]}"


def _wheel(path: Path) -> Wheel:
    return Wheel(path.name, wheelhouse.sha256(path), path.stat().st_size, path)
