"""A lab host with a kernel of its own: what can be told without starting one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ops.errors import LabError
from ops.lab import cpio, net, vm, vm_image
from ops.lab.vm_image import Machine


def entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content by name, read as the kernel does."""
    found, place = {}, 0
    while True:
        assert archive[place : place + 6] == b"070701"
        fields = [int(archive[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[place + 110 : place + 110 + length - 1].decode()
        body = (place + 110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        assert name not in found
        found[name] = (mode, archive[body : body + size])
        place = (body + size + 3) // 4 * 4


def test_an_archive_has_every_file_with_its_mode(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/key").write_text("secret")
    (tmp_path / "etc/key").chmod(0o600)
    (tmp_path / "etc/é").symlink_to("/dev/null")
    packed = cpio.pack(tmp_path, "host")
    found = entries(packed)
    assert list(found) == ["host", "host/etc", "host/etc/key", "host/etc/é"]
    assert (stat.S_ISREG(found["host/etc/key"][0]), found["host/etc/key"][0] & 0o777) == (True, 0o600)
    assert found["host/etc/key"][1] == b"secret"
    assert (stat.S_ISLNK(found["host/etc/é"][0]), found["host/etc/é"][1]) == (True, b"/dev/null")
    assert len(packed) % 4 == 0, "another may follow"


def test_memory_that_is_short_is_said_with_figures_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vm.available_mb("MemTotal: 9 kB\nMemAvailable:    2097152 kB\n") == 2048
    assert vm.available_mb("") == 0
    monkeypatch.setattr(vm, "available_mb", lambda text: 700)
    with pytest.raises(LabError, match="takes 1024 MB of memory, and 700 MB are free") as failed:
        vm.room()
    assert "lab.down --all" in str(failed.value)
    assert "700 MB" in (vm.refusal() or "")


def test_another_architecture_is_refused_with_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(LabError, match="needs an x86_64 machine, and this one is riscv64") as failed:
        vm_image.kernel_package()
    assert "lab.up --name" in str(failed.value)
    assert vm.refusal()


def test_an_image_that_has_gone_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="image that x-123456 stands on has gone") as failed:
        vm.start("x-123456", tmp_path, Machine(tmp_path / "gone"), "10.77.0.10")
    assert "lab.up --vm" in str(failed.value)


def test_the_machine_has_its_own_address_and_no_hardware_but_what_it_needs(tmp_path: Path) -> None:
    words = vm.command("x-123456", tmp_path, Machine(tmp_path / "image"), "10.77.0.10", "olab1")
    line = " ".join(words)
    assert "lab.address=10.77.0.10/24 lab.gateway=10.77.0.1" in line
    assert f"mac={net.mac('10.77.0.10')}" in line
    assert {"-nodefaults", "opslab-x-123456"} <= set(words)
    assert f"{tmp_path}/image/disk.img" not in line, "the image itself is never written to"


def test_a_kernel_that_is_missing_in_the_image_is_said(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    with pytest.raises(LabError, match="no kernel in /boot"):
        vm_image._kernel(tmp_path)
