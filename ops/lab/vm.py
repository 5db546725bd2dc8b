"""A lab host as a virtual machine: QEMU started so that it outlives us, and watched while it boots.

Without hardware virtualisation on purpose: it works wherever QEMU does, within a container or another machine too.
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from ops.errors import LabError
from ops.lab import net, process, vm_image
from ops.lab.host import LabHost
from ops.lab.shell import run
from ops.lab.vm_image import Machine

NEEDS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mke2fs": "e2fsprogs"}
MEMORY_MB = 1024
SPARE_MB = 200
BOOT_SECONDS = 420
"""An emulated processor is some twenty times slower, and this machine may have other things to do."""
KERNEL = (
    "console=ttyS0 net.ifnames=0 mitigations=off random.trust_cpu=on panic=-1 loglevel=4 "
    "systemd.show_status=true audit=0 cryptomgr.notests"
)


def refusal() -> str | None:
    """Why this machine cannot run one now; None if it can be tried."""
    try:
        vm_image.kernel_package()
        room()
    except LabError as error:
        return error.message
    return None if net.TUN.exists() else f"it has no {net.TUN}"


def room() -> None:
    """Raises LabError when this machine has not the memory for one more."""
    free = available_mb(Path("/proc/meminfo").read_text())
    if free < MEMORY_MB + SPARE_MB:
        raise LabError(
            f"a lab host with its own kernel takes {MEMORY_MB} MB of memory, and {free} MB are free",
            hint="./inv lab.down --all removes this checkout's others; a container (lab.up --name) takes less",
        )


def available_mb(meminfo: str) -> int:
    """Of /proc/meminfo (proc(5)); 0 where it does not say."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.M)
    return int(found[1]) // 1024 if found else 0


def make_disk(state: Path, machine: Machine) -> None:
    """The host's own disk: what differs from the image. Interrupted, it is begun again."""
    disk, new = state / "disk.qcow2", state / "disk.qcow2.new"
    if disk.exists():
        return
    backing = ["-b", str(machine.disk), "-F", "raw"]
    run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, new], what="the host's disk")
    new.rename(disk)


def start(machine: str, state: Path, files: Machine, address: str) -> None:
    """Boots the disk in the background; `wait` tells how that went."""
    if not files.disk.is_file():
        raise LabError(
            f"the image that {machine} stands on has gone from {files.folder}",
            hint="remove the host and make it anew: ./inv lab.down, then ./inv lab.up --vm (with its name)",
        )
    room()
    (state / "initrd.img").write_bytes(files.initrd.read_bytes() + vm_image.host_files(state / "upper"))
    process.launch(machine, state, command(machine, state, files, address, net.connect_tap(machine)), grouped=False)


def command(machine: str, state: Path, files: Machine, address: str, tap: str) -> list[str]:
    """The whole machine: two processors, a disk, a network card, a serial console that is its log."""
    place = f"lab.address={address}/24 lab.gateway={net.GATEWAY}"
    parts = {
        "-name": f"opslab-{machine}",
        "-machine": "q35",
        "-accel": "tcg,thread=multi,tb-size=256",
        "-cpu": "max",
        "-smp": "2",
        "-m": str(MEMORY_MB),
        "-display": "none",
        "-monitor": "none",
        "-serial": "stdio",
        "-kernel": str(files.kernel),
        "-initrd": str(state / "initrd.img"),
        "-append": f"{KERNEL} {place}",
        "-drive": f"file={state / 'disk.qcow2'},format=qcow2,if=virtio,discard=unmap",
        "-netdev": f"tap,id=net,ifname={tap},script=no,downscript=no",
    }
    words = [word for part in parts.items() for word in part]
    card = f"virtio-net-pci,netdev=net,romfile=,mac={net.mac(address)}"
    devices = ["-device", card, "-device", "virtio-rng-pci"]
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", *words, *devices]


def wait(machine: str, state: Path, host: LabHost) -> str:
    """Blocks until sshd answers and systemd has finished booting; returns systemd's own word (running, degraded)."""
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline:
        if (state / "pid").exists() and process.running(machine, state) is None:
            raise process.not_booted(machine, state, "QEMU ended")
        if process.ssh_answers(host.address) and (word := _word(host, deadline - time.monotonic())):
            return word
        time.sleep(0.2)
    raise process.not_booted(machine, state, f"it did not finish within {BOOT_SECONDS} s")


def _word(host: LabHost, seconds: float) -> str:
    """Empty while it cannot be asked: sshd may listen before it lets anyone in."""
    from ops.lab.tasks import ssh_command

    asked = ssh_command(host, "systemctl is-system-running --wait")
    try:
        done = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=max(seconds, 1)
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip()
