"""A release as the controller assembles it, from a small checkout whose index is a folder pip is pointed at."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ops import paths, release
from ops.errors import ReleaseError
from ops.release import Bundle

REAL = paths.ROOT
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "trading-ops"
version = "0.1.0"
[tool.hatch.build.targets.wheel]
packages = ["runtime"]
"""
ANY = "py3-none-any"
ASSEMBLE = """
import sys
from pathlib import Path
from ops import paths, release
root = Path(sys.argv[1])
paths.ROOT, paths.LOCKS, paths.CACHE = root, root / "locks", root / ".cache"
release.assemble(["web"], "x86_64", "3.11", say=print)
"""


class Project:
    """A small checkout with its own locks and cache, and a folder of wheels that pip takes for its index."""

    def __init__(self, root: Path) -> None:
        self.root, self.index, self.said = root, root.parent / f"{root.name}-index", list[str]()
        for folder in (root / "locks", root / "runtime", self.index):
            folder.mkdir(parents=True)
        (root / "pyproject.toml").write_text(PROJECT)
        (root / "runtime" / "__init__.py").write_text("")
        self.lock("host", self.wheel("uv"))

    def wheel(self, name: str, version: str = "1.0", tag: str = ANY, size: int = 10) -> str:
        """Puts a wheel on the index; returns its line for a lock."""
        path = self.index / f"{name}-{version}-{tag}.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": "#" * size,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        with zipfile.ZipFile(path, "w") as archive:
            for inside, text in files.items():
                archive.writestr(zipfile.ZipInfo(inside), text)
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def lock(self, extra: str, *lines: str) -> None:
        (self.root / "locks" / f"{extra}.txt").write_text("".join(f"{line}\n" for line in lines))

    def use(self, patch: pytest.MonkeyPatch) -> None:
        for name, path in (("ROOT", ""), ("LOCKS", "locks"), ("CACHE", ".cache")):
            patch.setattr(paths, name, self.root / path)
        no_index(patch)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(self.index))

    def assemble(self, *extras: str, arch: str = "x86_64", python: str = "3.11") -> Bundle:
        return release.assemble(extras or ("web",), arch, python, say=self.said.append)

    @property
    def downloads(self) -> int:
        return sum("downloading" in line for line in self.said)


def no_index(patch: pytest.MonkeyPatch) -> None:
    """Forgets this machine's own pip configuration."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        patch.delenv(name)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_NO_CACHE_DIR", "1")
    patch.setenv("PIP_RETRIES", "0")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "checkout")
    made.use(monkeypatch)
    made.lock("web", made.wheel("alpha"), made.wheel("beta"))
    return made


# What is in a bundle


def test_a_bundle_is_the_locked_wheels_and_ours(project: Project) -> None:
    bundle = project.assemble()
    assert [wheel.name.split("-")[0] for wheel in bundle.wheels] == ["alpha", "beta", "trading_ops"]
    assert bundle.installer.name.startswith("uv-")
    for wheel in (*bundle.wheels, bundle.installer):
        data = wheel.path.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (wheel.size, wheel.sha256)
    pins = ("alpha==1.0", "beta==1.0", "trading-ops==0.1.0")
    lines = [f"{pin} --hash=sha256:{wheel.sha256}" for pin, wheel in zip(pins, bundle.wheels, strict=True)]
    assert bundle.requirements.splitlines() == lines


def test_extras_are_one_environment_in_any_order(project: Project) -> None:
    project.lock("perf", project.wheel("beta"), project.wheel("gamma"))
    bundle = project.assemble("web", "perf")
    assert bundle.requirements.count("beta==") == 1
    assert bundle == project.assemble("perf", "web", "perf")


def test_the_same_content_has_the_same_id_on_another_controller(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.assemble()
    other = Project(tmp_path / "other")
    other.lock("web", "# made on another day", other.wheel("beta"), other.wheel("alpha"))
    (other.root / "README.md").write_text("other words")
    other.use(monkeypatch)
    second = other.assemble()
    assert (second.id, second.requirements) == (first.id, first.requirements)
    assert first.id.startswith("0.1.0-")
    assert len(first.id) == len("0.1.0-") + 12


def test_code_lock_python_and_architecture_each_make_another_id(project: Project) -> None:
    ids = [project.assemble().id, project.assemble(arch="aarch64").id, project.assemble(python="3.12").id]
    (project.root / "runtime" / "app.py").write_text("ANSWER = 42\n")
    ids.append(project.assemble().id)
    project.lock("web", project.wheel("alpha", "2.0"), project.wheel("beta"))
    ids.append(project.assemble().id)
    assert len(set(ids)) == 5


# Which wheel


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (
            ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64"],
            "cp311-cp311-manylinux_2_28_x86_64",
        ),
        (
            ["cp311-cp311-manylinux_2_36_x86_64", "cp311-cp311-manylinux_2_39_x86_64"],
            "cp311-cp311-manylinux_2_36_x86_64",
        ),
        (["cp39-abi3-manylinux2014_x86_64", "cp312-cp312-manylinux2014_x86_64"], "cp39-abi3-manylinux2014_x86_64"),
        ([ANY, "cp311-cp311-manylinux1_x86_64"], "cp311-cp311-manylinux1_x86_64"),
        ([ANY, "cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-win_amd64"], ANY),
    ],
)
def test_the_best_wheel_debian_12_can_load_is_chosen(project: Project, tags: list[str], chosen: str) -> None:
    lines = [project.wheel("native", tag=tag, size=size) for size, tag in enumerate(tags)]
    project.lock("web", " ".join([lines[0], *(line.split(" ", 1)[1] for line in lines[1:])]))
    assert project.assemble().wheels[0].name == f"native-1.0-{chosen}.whl"


def test_a_package_without_a_wheel_for_the_host_says_so(project: Project) -> None:
    project.lock("web", project.wheel("native", tag="cp311-cp311-manylinux2014_x86_64"))
    project.assemble()
    with pytest.raises(ReleaseError, match=r"Debian 12 aarch64(.|\n)*native==1\.0") as caught:
        project.assemble(arch="aarch64")
    assert "locks/update" in str(caught.value)


def test_too_new_a_glibc_is_no_wheel(project: Project) -> None:
    project.lock("web", project.wheel("native", tag="cp311-cp311-manylinux_2_39_x86_64"))
    with pytest.raises(ReleaseError, match=r"native==1\.0"):
        project.assemble()


# What is refused


def test_an_extra_without_a_lock_names_the_nearest(project: Project) -> None:
    with pytest.raises(ReleaseError, match=r'no locks/wbe.txt .*did you mean "web"'):
        project.assemble("wbe")


def test_locks_that_contradict_each_other_name_both(project: Project) -> None:
    project.lock("perf", project.wheel("alpha", "2.0"))
    with pytest.raises(ReleaseError, match=r"alpha is 2.0 in locks/perf.txt and 1.0 in locks/web.txt"):
        project.assemble("web", "perf")


def test_an_index_with_other_bytes_is_refused(project: Project) -> None:
    project.lock("web", project.wheel("alpha"))
    project.wheel("alpha", size=11)
    with pytest.raises(ReleaseError, match="DO NOT MATCH THE HASHES"):
        project.assemble()
    assert not list(paths.CACHE.rglob("alpha*"))


def test_no_network_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    no_index(monkeypatch)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ReleaseError, match="cannot be downloaded") as caught:
        project.assemble()
    assert "no package index answers" in str(caught.value)


# The cache


def test_an_unchanged_release_is_remembered(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first = project.assemble()
    monkeypatch.setattr(release, "_assemble", None)
    assert project.assemble() == first


def test_only_missing_wheels_are_downloaded(project: Project) -> None:
    project.assemble()
    (project.index / f"alpha-1.0-{ANY}.whl").unlink()
    project.lock("web", *(project.root / "locks" / "web.txt").read_text().splitlines(), project.wheel("gamma"))
    assert len(project.assemble().wheels) == 4
    assert project.said[-1].startswith("downloading 1 of 4")


@pytest.mark.parametrize("damage", [b"", b"half", b"same size"])
def test_a_tampered_wheel_in_the_cache_is_fetched_again(project: Project, damage: bytes) -> None:
    first = project.assemble()
    path = first.wheels[0].path
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"!" if damage == b"same size" else damage)
    assert project.assemble() == first
    assert path.read_bytes() == good
    assert any("not what locks/web.txt says" in line for line in project.said)


def test_a_damaged_record_is_not_believed(project: Project) -> None:
    first = project.assemble()
    for record in (paths.CACHE / "releases").glob("*.json"):
        record.write_text(json.dumps({"files": []}))
    assert project.assemble() == first


def test_old_records_and_wheels_of_ours_are_dropped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "KEPT", 2)
    for number in range(4):
        (project.root / "runtime" / "app.py").write_text(f"ANSWER = {number}\n")
        assert all(wheel.path.is_file() for wheel in project.assemble().wheels)
    assert len(list((paths.CACHE / "releases").iterdir())) == 2
    assert len(list((paths.CACHE / "wheels" / "own").iterdir())) == 2


def test_runs_at_once_share_one_download(project: Project) -> None:
    with ThreadPoolExecutor(4) as pool:
        bundles = list(pool.map(lambda _: project.assemble(), range(4)))
    assert len(set(bundles)) == 1
    assert project.downloads == 1


class Stalling(http.server.SimpleHTTPRequestHandler):
    """An index whose wheels stop half way. Source of the protocol: PEP 503, a folder listing is enough of it."""

    reached = threading.Event()

    def do_GET(self) -> None:
        if not self.path.endswith(".whl"):
            return super().do_GET()
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self.reached.set()
        with contextlib.suppress(ConnectionError):
            self.rfile.read()  # until the client goes away
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stalling(project: Project) -> Iterator[str]:
    serve = partial(Stalling, directory=str(project.index))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_run_killed_while_downloading_leaves_nothing_half_written(
    project: Project, stalling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PIP_FIND_LINKS", stalling)
        child = subprocess.Popen([sys.executable, "-c", ASSEMBLE, str(project.root)], cwd=REAL, start_new_session=True)
        assert Stalling.reached.wait(30)
        os.killpg(child.pid, signal.SIGKILL)  # its pip goes with it
        child.wait()
    home = paths.CACHE / "wheels" / "cp311-x86_64"
    assert list(home.glob(".fetch-*"))
    assert not list(home.glob("*.whl"))
    assert len(project.assemble().wheels) == 3
    assert not list(home.glob(".fetch-*"))
