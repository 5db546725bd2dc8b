"""A host's root directory: the image beneath, the host's own files above (overlayfs), so nothing is copied.

HOSTS/ID/upper  what differs from the image; being there means that it was made completely
HOSTS/ID/tree   both together; mounted by us, since the container cannot do it before it exists
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from ops.errors import LabError
from ops.lab import apt
from ops.lab.shell import run, succeeds

DOCKER = "etc/systemd/system/docker.service.d/lab.conf"
# systemd-nspawn shows the old controllers' hierarchies read-only; they are this container's own (ops.lab.cgroup), and
# Docker makes a group in each for every container of its own.
DOCKER_MAY = """# A lab host's own: see ops/lab/tree.py
[Service]
ExecStartPre=-/bin/sh -c 'for one in /sys/fs/cgroup/*; do mount -o remount,bind,rw "$$one"; done 2>/dev/null'
"""


def make(name: str, state: Path) -> None:
    """The files that make a host this host. Interrupted, it is begun again by the next call."""
    fresh = state / "upper.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for folder in ("", "etc", "etc/ssh"):
        (fresh / folder).mkdir(parents=True)
        (fresh / folder).chmod(0o755)
    (fresh / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    (fresh / "etc/hostname").write_text(f"{name}\n")
    (fresh / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost\n")
    (fresh / "etc/resolv.conf").write_text(apt.resolv_conf())
    (fresh / DOCKER).parent.mkdir(parents=True)
    (fresh / DOCKER).write_text(DOCKER_MAY)
    for path in (fresh / "etc").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    run(["ssh-keygen", "-q", "-A", "-f", fresh], what="the host's SSH keys")
    fresh.rename(state / "upper")


def mount(state: Path, image: Path) -> None:
    """Puts the tree together, unless it is."""
    tree = state / "tree"
    if (tree / "usr").is_dir():
        return
    if not image.is_dir():
        raise LabError(
            f"the image that {state.name} stands on has gone from {image}",
            hint="remove the host and make it anew: ./inv lab.down, then ./inv lab.up (with its --name)",
        )
    for folder in ("tree", "work"):
        (state / folder).mkdir(exist_ok=True)
    layers = f"lowerdir={image},upperdir={state / 'upper'},workdir={state / 'work'}"
    if not succeeds(["mount", "-t", "overlay", f"opslab-{state.name}", "-o", layers, tree]):
        _copy(state, image)


def _copy(state: Path, image: Path) -> None:
    """Where /var/lib is itself an overlay (a container), the kernel refuses another one on it."""
    fresh = state / "tree.new"
    run(["rm", "-rf", "--one-file-system", fresh])
    run(["cp", "-a", "--reflink=auto", image, fresh], what="copying the image")
    run(["cp", "-a", f"{state / 'upper'}/.", fresh], what="copying the host's own files")
    (state / "tree").rmdir()
    fresh.rename(state / "tree")


def remove(state: Path) -> None:
    """Takes everything of a stopped host away, and nothing that is mounted elsewhere in it."""
    tree = state / "tree"
    if os.path.ismount(tree) and not succeeds(["umount", tree]):
        run(["umount", "--lazy", tree])
    run(["rm", "-rf", "--one-file-system", state])
