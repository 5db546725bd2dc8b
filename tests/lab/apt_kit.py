"""A signed Debian repository of our own, served over HTTP where lab hosts reach it: what a vendor's is to them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ops.lab.net import GATEWAY
from tests.fakes.listen import end, serve

CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: Tests <packages@example.org>
{relations}Description: a stand-in
"""


class Repository:
    """Packages that hold what the test says, signed with a key made for them: suite stable, component main."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._home = folder / "apt", folder / "gnupg"
        self.folder.mkdir()
        self._home.mkdir(mode=0o700)
        self._controls: dict[str, str] = {}
        self._gpg("--quick-generate-key", "packages@example.org", "ed25519", "sign", "never")
        self.key = self._gpg("--armor", "--export")

    def _gpg(self, *words: str, given: str | None = None) -> str:
        quietly = ["--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
        command = ["gpg", "--homedir", str(self._home), *quietly, *words]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, name: str, version: str, programs: Mapping[str, str | Path], **relations: str) -> None:
        """A package with these programs by path, as text or copied; relations as in its control file."""
        tree = self.folder / f"{name}-tree-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        said = "".join(f"{key.capitalize()}: {value}\n" for key, value in relations.items())
        control = CONTROL.format(name=name, version=version, relations=said)
        (tree / "DEBIAN/control").write_text(control)
        for path, content in programs.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content.encode() if isinstance(content, str) else content.read_bytes())
            (tree / path).chmod(0o755)
        deb = f"{name}_{version}.deb"
        command = ["dpkg-deb", "-Znone", "--build", "--root-owner-group", str(tree), str(self.folder / deb)]
        subprocess.run(command, check=True, capture_output=True)
        self._controls[deb] = control

    def index(self) -> None:
        """Signs what was added."""
        packages = "\n".join(map(self._entry, self._controls)).encode()
        place, lines = self.folder / "dists/stable", []
        for arch in ("all", "amd64", "arm64"):
            (place / f"main/binary-{arch}").mkdir(parents=True)
            (place / f"main/binary-{arch}/Packages").write_bytes(packages)
            lines.append(f" {sha256(packages).hexdigest()} {len(packages)} main/binary-{arch}/Packages")
        release = "Suite: stable\nComponents: main\nArchitectures: all amd64 arm64\nSHA256:\n" + "\n".join(lines) + "\n"
        (place / "InRelease").write_text(self._gpg("--clearsign", given=release))

    def _entry(self, deb: str) -> str:
        content = (self.folder / deb).read_bytes()
        return f"{self._controls[deb]}Filename: {deb}\nSize: {len(content)}\nSHA256: {sha256(content).hexdigest()}\n"


@contextmanager
def served(made: Repository) -> Iterator[str]:
    """Its URL as lab hosts reach it, once there is one."""
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer((GATEWAY, 0), partial(handler, directory=str(made.folder)))
    yield f"http://{GATEWAY}:{serve(server)}"
    end(server)
