"""Our own wheel: the same bytes from the same sources, and nothing in it that a host does not need."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from ops import own_wheel, paths
from ops.errors import ReleaseError
from ops.own_wheel import Sources

PROJECT = b"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "trading-ops"
version = "1.2.3"
readme = "README.md"
[tool.hatch.build.targets.wheel]
packages = ["runtime", "quant"]
"""
TREE = {
    "pyproject.toml": PROJECT,
    "runtime/__init__.py": b"",
    "runtime/app.py": b"ANSWER = 42\n" * 500,
    "quant/__init__.py": b"",
    "quant/data/__init__.py": b"",
    "quant/data/candles.csv": b"1,2,3\n",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    for name, data in TREE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "README.md").write_text("# a title\n")
    (root / ".gitignore").write_text("data/\n__pycache__/\n")
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def build(tree: Sources) -> Path:
    return own_wheel.build(tree, lambda _: None)


def listing(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_two_builds_of_the_same_sources_are_byte_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(TREE)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "elsewhere")
    before = os.umask(0o077)
    try:
        second = build(dict(reversed(TREE.items())))
    finally:
        os.umask(before)
    assert first != second
    assert first.read_bytes() == second.read_bytes()


def test_bytes_do_not_depend_on_this_machines_compressor() -> None:
    with zipfile.ZipFile(build(TREE)) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.testzip() is None


def test_ships_all_that_is_source_and_nothing_that_is_not(checkout: Path) -> None:
    for junk in ("runtime/__pycache__/app.cpython-311.pyc", "runtime/.env", "quant/.cache/x.py", "runtime/app.py~"):
        (checkout / junk).parent.mkdir(exist_ok=True)
        (checkout / junk).write_text("webhook_key=secret")
    shipped = {name for name in names(build(own_wheel.sources())) if ".dist-info/" not in name}
    assert shipped == set(TREE) - {"pyproject.toml"}


def test_leaves_the_checkout_as_it_was(checkout: Path) -> None:
    before = listing(checkout)
    build(own_wheel.sources())
    assert listing(checkout) == before


def test_a_word_in_the_readme_is_not_a_new_wheel(checkout: Path) -> None:
    first = build(own_wheel.sources()).read_bytes()
    (checkout / "README.md").write_text("# another title\n")
    assert build(own_wheel.sources()).read_bytes() == first


def test_an_edit_of_the_code_is_a_new_wheel() -> None:
    assert build(TREE).read_bytes() != build(TREE | {"runtime/app.py": b"ANSWER = 43\n"}).read_bytes()


def test_is_built_once() -> None:
    said: list[str] = []
    assert own_wheel.build(TREE, said.append) == own_wheel.build(TREE, said.append)
    assert len(said) == 1


def test_a_changed_wheel_in_the_cache_is_built_anew() -> None:
    wheel = build(TREE)
    good = wheel.read_bytes()
    wheel.write_bytes(good[:-1] + b"!")
    assert build(TREE).read_bytes() == good


def test_a_project_that_does_not_build_says_why() -> None:
    broken = TREE | {"pyproject.toml": PROJECT.replace(b'version = "1.2.3"', b'version = "soon"')}
    with pytest.raises(ReleaseError, match=r"does not build:(.|\n)*soon"):
        build(broken)
