"""The project's own release: real downloads for both architectures, and real installs without an index."""

from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops import paths, release
from ops.release import Bundle

HERE = platform.machine(), f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the project's own wheels, shared by the tests that need the real index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", tmp_path_factory.mktemp("cache"))
        yield paths.CACHE


def assemble_real(arch: str, python: str) -> Bundle:
    return release.assemble(["webhook", "perf"], arch, python, say=lambda _: None)


def test_both_architectures_are_served_from_one_controller(real: Path) -> None:
    for arch in ("x86_64", "aarch64"):
        bundle = assemble_real(arch, "3.11")
        foreign = {"x86_64": "aarch64", "aarch64": "x86_64"}[arch]
        names = [wheel.name for wheel in (*bundle.wheels, bundle.installer)]
        assert not [name for name in names if foreign in name or "win" in name or "musllinux" in name]
        assert [name for name in names if name.startswith("uvloop-") and arch in name]
        assert arch in bundle.installer.name
        assert not [name for name in names if name.startswith(("colorama", "pip-", "fabric"))]


def test_our_wheel_carries_services_only(real: Path) -> None:
    ours = next(wheel for wheel in assemble_real("x86_64", "3.11").wheels if wheel.name.startswith("trading_ops-"))
    with zipfile.ZipFile(ours.path) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "runtime",
        "miner",
        "blockdag",
        "quant",
        "trading_ops",
    }
    assert not [name for name in names if "__pycache__" in name or "/." in name]


def test_the_second_time_nothing_is_built_or_downloaded(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a program is started")

    first = assemble_real("x86_64", "3.11")
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert assemble_real("x86_64", "3.11") == first


def uv(bundle: Bundle, folder: Path) -> Path:
    with zipfile.ZipFile(bundle.installer.path) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        (folder / "uv").write_bytes(archive.read(inside))
    (folder / "uv").chmod(0o700)
    return folder / "uv"


def install(bundle: Bundle, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a host does it: its wheels in one folder, no index, no cache, no configuration."""
    program, wheelhouse = uv(bundle, folder), folder / "wheels"
    (folder / "requirements.txt").write_text(bundle.requirements)
    quiet = ("--quiet", "--offline", "--no-cache", "--no-config")
    subprocess.run([program, "venv", *quiet, "--python", sys.executable, folder / "venv"], check=True)
    command = [
        program,
        "pip",
        "install",
        *quiet,
        "--no-index",
        "--find-links",
        wheelhouse,
        "--require-hashes",
        "--no-deps",
    ]
    command += ["--python", folder / "venv" / "bin" / "python", "-r", folder / "requirements.txt"]
    return subprocess.run(command, capture_output=True, text=True)


def wheelhouse(bundle: Bundle, folder: Path) -> Path:
    (folder / "wheels").mkdir()
    for wheel in bundle.wheels:
        (folder / "wheels" / wheel.name).write_bytes(wheel.path.read_bytes())
    return folder / "wheels"


def test_a_bundle_installs_without_an_index(real: Path, tmp_path: Path) -> None:
    bundle = assemble_real(*HERE)
    wheelhouse(bundle, tmp_path)
    done = install(bundle, tmp_path)
    assert done.returncode == 0, done.stderr
    python, check = tmp_path / "venv" / "bin" / "python", tmp_path / "check.py"
    check.write_text("import fastapi, sqlalchemy, uvloop, runtime.service\nprint(runtime.__file__)\n")
    ran = subprocess.run([python, "-I", check], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(str(tmp_path / "venv"))
    asked = subprocess.run(
        [tmp_path / "uv", "pip", "check", "--offline", "--python", python], capture_output=True, text=True
    )
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("victim", ["fastapi-", "trading_ops-"])
def test_the_installer_refuses_a_tampered_wheel(real: Path, tmp_path: Path, victim: str) -> None:
    bundle = assemble_real(*HERE)
    (wheel,) = wheelhouse(bundle, tmp_path).glob(f"{victim}*")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("intruder.py", "raise SystemExit")
    done = install(bundle, tmp_path)
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
    assert not list((tmp_path / "venv").rglob("intruder.py"))
