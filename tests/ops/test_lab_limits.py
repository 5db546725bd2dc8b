"""The kernel's limits that a lab of many hosts needs raised, and that are put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.lab import limits


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the limit, as a kernel has it."""
    file = tmp_path / "max_user_instances"
    file.write_text("128\n")
    monkeypatch.setattr(limits, "INSTANCES", file)
    monkeypatch.setattr(limits, "BEFORE", tmp_path / "run/before")
    return file


def test_a_low_limit_is_raised_and_put_back(kernel: Path) -> None:
    for _ in range(2):  # a second host does not take the raised one for what was there
        limits.prepare()
        assert kernel.read_text() == "1024"
    limits.remove()
    assert kernel.read_text() == "128"
    assert not limits.BEFORE.exists()


def test_a_higher_one_and_one_that_somebody_set_meanwhile_stay(kernel: Path) -> None:
    kernel.write_text("8192\n")
    limits.prepare()
    limits.remove()
    assert kernel.read_text() == "8192\n"
    kernel.write_text("128\n")
    limits.prepare()
    kernel.write_text("2048\n")
    limits.remove()
    assert kernel.read_text() == "2048\n"


def test_a_kernel_without_it_is_no_error(kernel: Path) -> None:
    kernel.unlink()
    limits.prepare()
    limits.remove()
