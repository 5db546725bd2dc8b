"""A real PostgreSQL 15 of the tests' own: on a socket in its folder and a free port of this machine.

It runs as the user `postgres` when the tests run as root, which it refuses to. It syncs nothing to the disk
(`fsync=off`): the tests kill processes, not the machine, and what a killed server has committed is the kernel's.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "pässword+of/the:tests"
ESCAPED = "p%C3%A4ssword%2Bof%2Fthe%3Atests"


@dataclass
class Postgres:
    """`url(name)` is an address over TCP with the password, `local(name)` one over the socket.

    `host`: an address of this machine; whoever reaches it may come in, with the password.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    host: str = "127.0.0.1"
    _names: Iterator[int] = field(default_factory=count)

    def make(self) -> None:
        """An empty cluster whose superuser `postgres` needs its password over TCP."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        _own(self.folder)
        options = ("-A", "scram-sha-256", "--auth-local=trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres")
        data = str(self.folder / "data")
        subprocess.run([*_as_postgres(), PROGRAMS / "initdb", "-D", data, *options, f"--pwfile={secret}"], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")  # fmt: skip
        with (self.folder / "data/pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")

    def start(self) -> None:
        settings = {"port": self.port, "listen_addresses": self.host, "unix_socket_directories": self.folder}
        settings |= {"fsync": "off", "max_connections": 60, "logging_collector": "off"}
        said = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            command = [*_as_postgres(), PROGRAMS / "postgres", "-D", self.folder / "data", *said]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        limit = time.monotonic() + 30
        while self.ask("SELECT 1", check=False) != "1":
            assert time.monotonic() < limit, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: a fast shutdown, sessions are cut. SIGQUIT: at once, as in a crash."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(30)
        self.process = None

    def signal(self, how: signal.Signals) -> None:
        """To the server and all its sessions: SIGSTOP makes it hang, SIGCONT lets it go on."""
        assert self.process is not None
        sessions = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        for pid in (*sessions.split(), str(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(int(pid), how)

    def ask(self, query: str, database: str = "postgres", *, check: bool = True) -> str:
        """What psql prints for a query: bare rows."""
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database)
        command = [PROGRAMS / "psql", "-XAtq", *where, "-c", query]
        return subprocess.run(command, check=check, capture_output=True, text=True, cwd="/").stdout.strip()

    def database(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{next(self._names)}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str) -> str:
        return f"postgresql://postgres:{ESCAPED}@{self.host}:{self.port}/{database}"

    def local(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, one for all tests of a run."""
    with running() as server:
        yield server


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Postgres]:
    """A server at that address of this machine; skips the test where there is no PostgreSQL."""
    if not (PROGRAMS / "initdb").exists():
        pytest.skip("PostgreSQL 15 is not installed here: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Postgres(folder, _free_port(), host=host)
    try:
        server.make()
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.signal(signal.SIGCONT)
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder)


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of a new, empty database."""
    return postgres.url(postgres.database())


def _as_postgres() -> list[str]:
    """Nor does it outlive a run of the tests that is killed."""
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig=INT", "--"]


def _own(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        if os.getuid() == 0:
            shutil.chown(path, "postgres", "postgres")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
