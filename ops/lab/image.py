"""The image every lab host is copied from: a bare Debian 12 that reaches its mirror as this machine does."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ops.lab import apt
from ops.lab.shell import locked, run

CACHE = Path("/var/cache/trading-ops/lab")
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,python3,sudo,ca-certificates,iproute2"
RECIPE = "1"
"""Raise it when the way an image is made changes."""


def image(say: Callable[[str], None]) -> Path:
    """The image's tree, built now if this machine has none that fits its present apt configuration."""
    way = apt.of_this_machine()
    key = hashlib.sha256(f"{RECIPE} {apt.SUITE} {PACKAGES} {way.fingerprint()}".encode()).hexdigest()[:12]
    tree = CACHE / key / "tree"
    if tree.is_dir():
        return tree
    with locked(CACHE / ".lock"):
        if not tree.is_dir():
            _build(tree, way, say)
    return tree


def _build(tree: Path, way: apt.Apt, say: Callable[[str], None]) -> None:
    say("building the Debian 12 image (once on this machine, about 30 s)")
    for stale in CACHE.glob("*/tree.new"):
        shutil.rmtree(stale.parent)
    building = tree.with_name("tree.new")
    building.parent.mkdir(parents=True, exist_ok=True)
    debootstrap(building, way, PACKAGES)
    building.rename(tree)


def debootstrap(tree: Path, way: apt.Apt, packages: str, environ: Mapping[str, str] | None = None) -> None:
    """A bare Debian 12 with these packages. `environ` is for what their installation asks."""
    conf = tree.with_name("apt.conf")
    conf.write_text(way.conf)
    command = list(_mmdebstrap(tree, way, conf, packages))
    run(command, environ=environ, what="mmdebstrap could not build the Debian 12 image")
    _personal_parts_off(tree)
    _certificates(tree)
    conf.unlink()


def _mmdebstrap(target: Path, way: apt.Apt, conf: Path, packages: str) -> Iterator[str]:
    yield from ("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={packages}")
    if way.conf:
        yield f"--aptopt={conf}"
    for path in way.files:
        yield f'--setup-hook=mkdir -p "$1{path.parent}" && cp -p "{path}" "$1{path}"'
    yield from (apt.SUITE, str(target), *way.sources)


def _personal_parts_off(tree: Path) -> None:
    """What Debian's installer makes for each machine is made for each host, not once for the image."""
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for made_elsewhere in ("etc/machine-id", "etc/hostname", "etc/resolv.conf"):
        (tree / made_elsewhere).unlink(missing_ok=True)


def _certificates(tree: Path) -> None:
    added = apt.certificates()
    if not added:
        return
    for path in added:
        shutil.copy(path, tree / "usr/local/share/ca-certificates" / path.name)
    run(["chroot", tree, "update-ca-certificates"], what="update-ca-certificates in the image")
