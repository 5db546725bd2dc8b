"""The `inv` wrapper, in a checkout of its own whose lock asks for nothing, so that only the wrapper's work is timed."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from ops.paths import ROOT

MAIN = "import sys; print(sys.prefix, *sys.argv[1:])\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "check out"
    for folder in ("locks", "ops"):
        (root / folder).mkdir(parents=True)
    shutil.copy(ROOT / "inv", root / "inv")
    (root / "locks/controller.txt").write_text("# nothing\n")
    (root / "ops/__init__.py").touch()
    (root / "ops/__main__.py").write_text(MAIN)
    return root


def run(command: Path | str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, check=False, env=clean())
    assert done.returncode == 0, done.stderr
    return done


def clean(**more: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("OPS_VENV", "PYTHONPATH")} | more


def test_the_first_call_makes_the_venv_and_says_so_the_second_is_silent(checkout: Path) -> None:
    first = run(checkout / "inv", "deploy", "--host", "a b")
    assert first.stdout == f"{checkout / '.venv'} deploy --host a b\n"
    assert "making .venv from locks/controller.txt" in first.stderr
    assert run(checkout / "inv").stderr == ""


def test_it_works_from_elsewhere_and_through_links(checkout: Path, tmp_path: Path) -> None:
    run(checkout / "inv")
    (tmp_path / "absolute").symlink_to(checkout / "inv")
    (tmp_path / "relative").symlink_to(Path("check out/inv"))
    (tmp_path / "secrets.py").write_text("raise SystemExit('the wrong module')\n")
    (tmp_path / "ops.py").write_text("raise SystemExit('the wrong module')\n")
    for path in ("check out/inv", "absolute", "./relative", str(checkout / "inv")):
        assert run(str(tmp_path / path), "x", cwd=tmp_path).stdout == f"{checkout / '.venv'} x\n"


def test_a_changed_lock_an_interrupted_venv_and_a_moved_checkout_make_it_anew(checkout: Path, tmp_path: Path) -> None:
    run(checkout / "inv")
    (checkout / "locks/controller.txt").write_text("# another nothing\n")
    assert "making .venv" in run(checkout / "inv").stderr
    (checkout / ".venv/.made-for").unlink()
    assert "making .venv" in run(checkout / "inv").stderr
    moved = checkout.rename(tmp_path / "moved")
    assert run(moved / "inv").stdout.startswith(str(moved / ".venv"))


def test_two_at_once_in_a_fresh_checkout_make_it_once(checkout: Path) -> None:
    both = [subprocess.Popen(checkout / "inv", stdout=-1, stderr=-1, text=True, env=clean()) for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("making .venv from" in err for _, err in said) == 1


def test_killed_while_making_the_venv_it_starts_over(checkout: Path) -> None:
    child = subprocess.Popen(checkout / "inv", stdout=-1, stderr=-1, env=clean(), start_new_session=True)
    while not (checkout / ".venv/bin").exists():
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert "making .venv" in run(checkout / "inv").stderr


def test_another_venv_has_its_own_lock_and_place(checkout: Path) -> None:
    (checkout / "locks/test.txt").touch()
    done = subprocess.run(checkout / "inv", capture_output=True, text=True, check=True, env=clean(OPS_VENV="test"))
    assert done.stdout == f"{checkout / '.venv-test'}\n"
    assert not (checkout / ".venv").exists()


def test_a_package_that_cannot_be_installed_says_what_to_check(checkout: Path) -> None:
    (checkout / "locks/controller.txt").write_text("nothing-of-this-name==1 --hash=sha256:" + "0" * 64 + "\n")
    environment = clean(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(checkout))
    done = subprocess.run(checkout / "inv", capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "No matching distribution found for nothing-of-this-name" in done.stderr
    assert "pip config list" in done.stderr


def test_an_old_python_is_named(checkout: Path, tmp_path: Path) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    old = bin / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    for name in ("cmp", "mkdir", "flock", "id", "env"):
        (bin / name).symlink_to(shutil.which(name) or name)
    script = (checkout / "inv").read_text().replace("/usr/bin/python3;", "/nonexistent;")
    script = script.replace(" /usr/bin/python3; do", "; do")
    (checkout / "inv").write_text(script)
    done = subprocess.run(
        ["/bin/sh", checkout / "inv"], capture_output=True, text=True, check=False, env={"PATH": str(bin)}
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, and this machine has Python 3.9.2" in done.stderr


def test_a_later_call_adds_less_than_50_ms(checkout: Path) -> None:
    run(checkout / "inv")
    python = checkout / ".venv/bin/python"
    direct = median_of(lambda: run(str(python), "-P", "-m", "ops"))
    assert median_of(lambda: run(checkout / "inv")) - direct < 0.05


def median_of(action: object) -> float:
    assert callable(action)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
