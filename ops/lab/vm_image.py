"""What a lab host with a kernel of its own starts from: Debian's kernel, a small initrd, and a disk.

Made as the containers' image is, from the same sources and packages, with Debian's kernel and what belongs to it added.
CACHE/KEY-vm/ holds vmlinuz, initrd.img and disk.img; each host writes to an overlay of its own.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops.errors import LabError
from ops.lab import apt, image
from ops.lab.cpio import pack
from ops.lab.shell import locked, run

KERNELS = {"x86_64": "linux-image-amd64"}
OWN = ("udev", "kmod", "usbutils", "uhubctl", "busybox-static")
DISK = "6G"
RECIPE = "1"
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic")
MASKED = ("getty@tty1.service", "serial-getty@ttyS0.service", "e2scrub_reap.service")
"""Nobody sits at its console, and each service costs an emulated processor seconds."""

INIT = """#!/bin/busybox sh
# Debian's kernel has its drivers as modules: load what the disk and the network take, then go to the disk.
exec >/dev/console 2>&1
bb() { /bin/busybox "$@"; }
bb mount -t proc proc /proc
bb mount -t sysfs sysfs /sys
bb mount -t devtmpfs dev /dev
while read -r module; do bb insmod "/modules/$module"; done </modules/order
for word in $(bb cat /proc/cmdline); do case $word in lab.*) export "${word#lab.}" ;; esac; done
while [ ! -b /dev/vda ]; do bb sleep 0.1; done
bb mount -t ext4 -o noatime /dev/vda /root
bb ip link set lo up
bb ip addr add "$address" dev eth0
bb ip link set eth0 up
bb ip route add default via "$gateway"
# What makes this host this one comes with the initrd, and is the disk's from then on.
if [ ! -e /root/var/lib/lab-host ]; then
  bb cp -a /host/. /root/ && bb touch /root/var/lib/lab-host && bb sync
fi
bb umount /proc /sys
bb mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


@dataclass(frozen=True)
class Machine:
    """What QEMU is given."""

    folder: Path

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def disk(self) -> Path:
        """Raw, never written to."""
        return self.folder / "disk.img"


def kernel_package() -> str:
    """Raises LabError where machines of this architecture are not emulated by us."""
    found = KERNELS.get(platform.machine())
    if found is None:
        raise LabError(
            f"a lab host with its own kernel needs an x86_64 machine, and this one is {platform.machine()}",
            hint="a container does without: ./inv lab.up --name NAME",
        )
    return found


def machine(say: Callable[[str], None]) -> Machine:
    """The machine's files, made now if there are none that fit this machine's present apt configuration."""
    way = apt.of_this_machine()
    packages = f"{image.PACKAGES},{kernel_package()},{','.join(OWN)}"
    words = f"{image.RECIPE} {RECIPE} {apt.SUITE} {packages} {INIT} {MASKED} {way.fingerprint()}"
    folder = image.CACHE / f"{hashlib.sha256(words.encode()).hexdigest()[:12]}-vm"
    if not (folder / "disk.img").is_file():
        with locked(image.CACHE / ".lock-vm"):
            if not (folder / "disk.img").is_file():
                _build(folder, packages, way, say)
    return Machine(folder)


def _build(folder: Path, packages: str, way: apt.Apt, say: Callable[[str], None]) -> None:
    say("building the image of a machine with its own kernel (once on this machine, a few minutes)")
    for stale in image.CACHE.glob("*-vm/tree"):
        shutil.rmtree(stale.parent)
    folder.mkdir(parents=True, exist_ok=True)
    tree = folder / "tree"
    image.debootstrap(tree, way, packages, environ={"INITRD": "No"})
    _as_a_machine(tree)
    kernel, modules = _kernel(tree)
    shutil.copy(kernel, folder / "vmlinuz")
    _initrd(tree, modules, folder)
    new = folder / "disk.img.new"
    new.unlink(missing_ok=True)
    run(["mke2fs", "-q", "-t", "ext4", "-L", "lab", "-d", tree, new, DISK], what="the image's disk")
    shutil.rmtree(tree)
    new.rename(folder / "disk.img")


def _as_a_machine(tree: Path) -> None:
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")


def _kernel(tree: Path) -> tuple[Path, Path]:
    """The kernel, and the folder of its modules."""
    kernels = sorted((tree / "boot").glob("vmlinuz-*"))
    if not kernels:
        raise LabError("the image has no kernel in /boot", hint=f"apt-get install -s {kernel_package()} shows why")
    return kernels[-1], tree / "lib/modules" / kernels[-1].name.removeprefix("vmlinuz-")


def _initrd(tree: Path, modules: Path, folder: Path) -> None:
    root = folder / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev", "root", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(tree / "bin/busybox", root / "bin/busybox")
    names = [path.name for path in _drivers(tree, modules) if shutil.copy(path, root / "modules")]
    (root / "modules/order").write_text("".join(f"{name}\n" for name in names))
    (root / "init").write_text(INIT)
    for program in (root / "init", root / "bin/busybox"):
        program.chmod(0o755)
    (folder / "initrd.img").write_bytes(pack(root))
    shutil.rmtree(root)


def _drivers(tree: Path, modules: Path) -> list[Path]:
    """The modules that the drivers take, in the order of loading. What is built into the kernel has none."""
    ask: list[str | Path] = ["chroot", tree, "modprobe", f"--set-version={modules.name}", "--show-depends"]
    lines = [line for driver in DRIVERS for line in run([*ask, driver], what="the image's drivers").splitlines()]
    words = [line.split() for line in dict.fromkeys(lines)]
    return [tree / word[1].lstrip("/") for word in words if word[0] == "insmod"]


def host_files(upper: Path) -> bytes:
    """A host's own files, to follow the initrd."""
    for path in (upper / "root", upper / "root/.ssh"):
        path.chmod(stat.S_IRWXU)
    return pack(upper, "host")
