"""What the probe is told by its environment. Light: it starts every 15 seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from runtime.environ import SettingsError as SettingsError
from runtime.environ import Variables, environment
from runtime.secret import Secret

T = TypeVar("T")
GB = 1_000_000_000
FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


class Address(NamedTuple):
    """`said` is how people know it: without a path, and never with a password."""

    host: str
    port: int
    path: str

    @property
    def said(self) -> str:
        return f"{self.host}:{self.port}"


class ProbeSettings(NamedTuple):
    """BLOCKDAG_NODE (its name), BLOCKDAG_CONTAINER, BLOCKDAG_DATA (a folder), BLOCKDAG_BUDGET_GB (`budget` in bytes),
    BLOCKDAG_RPC_URL, BLOCKDAG_RPC_USER, BLOCKDAG_RPC_PASSWORD, BLOCKDAG_ETH_URL (empty: not asked), BLOCKDAG_DOCKER
    (its socket), BLOCKDAG_PROBE (the file that is written), BLOCKDAG_GROWTH (what is remembered for growth; default: in
    systemd's STATE_DIRECTORY, else beside the probe's file), PATH (to tell Docker that is down from none).
    """

    node: str
    container: str
    data: Path
    budget: int
    rpc: Address
    user: str
    password: Secret
    eth: Address | None
    docker: Path
    probe: Path
    growth: Path
    programs: tuple[Path, ...]


def load(environ: Mapping[str, str] | None = None) -> ProbeSettings:
    """Raises SettingsError naming each variable that is missing or wrong."""
    given = environment() if environ is None else environ
    env = _Reader(given)
    probe = env.read("BLOCKDAG_PROBE", _path, "/run/blockdag/probe.json")
    found = ProbeSettings(
        node=env.read("BLOCKDAG_NODE", _name, "blockdag"),
        container=env.read("BLOCKDAG_CONTAINER", _name),
        data=env.read("BLOCKDAG_DATA", _path),
        budget=env.read("BLOCKDAG_BUDGET_GB", _gigabytes),
        rpc=env.read("BLOCKDAG_RPC_URL", _address),
        user=env.text("BLOCKDAG_RPC_USER"),
        password=Secret(env.text("BLOCKDAG_RPC_PASSWORD")),
        eth=env.read("BLOCKDAG_ETH_URL", _address_or_none, "none"),
        docker=env.read("BLOCKDAG_DOCKER", _path, "/run/docker.sock"),
        probe=probe,
        growth=env.read("BLOCKDAG_GROWTH", _path, str(_state(given, probe.parent) / "growth.json")),
        programs=tuple(map(Path, given.get("PATH", FOLDERS).split(":"))),
    )
    env.finish()
    return found


class _Reader(Variables):
    """Values are not quoted: a URL may hold a password."""

    def read(self, name: str, convert: Callable[[str], T], default: str = "") -> T:
        text = self.text(name) or default
        try:
            return convert(text)
        except ValueError as error:
            self.problem(f"{name}: {error}" if text else f"{name} is not set: {error}")
            return None  # type: ignore[return-value] # `finish` raises before anybody sees it


def _state(given: Mapping[str, str], otherwise: Path) -> Path:
    """systemd.exec(5): several folders come with colons between them."""
    return Path(given.get("STATE_DIRECTORY", "").split(":")[0] or otherwise)


def _name(text: str) -> str:
    """Docker's own rule for containers (RestrictedNamePattern): nothing in it needs quoting in a path or on a page."""
    if (
        not text.isascii()
        or not text[:1].isalnum()
        or len(text) > 64
        or not all(one.isalnum() or one in "_.-" for one in text)
    ):
        raise ValueError("expected a name of letters, digits, _ . and -, up to 64 of them")
    return text


def _path(text: str) -> Path:
    if not text.startswith("/"):
        raise ValueError("expected an absolute path")
    return Path(text)


def _gigabytes(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise ValueError("expected gigabytes, above 0 and up to 1000000")
    return int(value * GB)


def _address(text: str) -> Address:
    expected = ValueError("expected a URL such as http://127.0.0.1:38131, with the user and the password elsewhere")
    try:
        url = urlsplit(text)
        port = url.port or 80
    except ValueError:
        raise expected from None
    if url.scheme != "http" or not url.hostname or "@" in url.netloc:
        raise expected
    return Address(url.hostname, port, url.path or "/")


def _address_or_none(text: str) -> Address | None:
    return None if text == "none" else _address(text)
