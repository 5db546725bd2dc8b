"""What miner-monitor is told by its environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from miner.deadman import check_url
from runtime.keys import Secret
from runtime.settings import Language, Listen, Reader, SettingsError, Watching, environment

PORT = 8020
NGROK = "http://127.0.0.1:4040"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class MinerSettings:
    """MONITOR_CGMINER (host:port; `off`: no cgminer here), MONITOR_CGMINER_TIMEOUT in seconds, MONITOR_MINER_USER and
    MONITOR_MINER_GROUPS (who must be able to open the sticks), MONITOR_WATTS (of all sticks, as somebody measured it).
    """

    api: Address | None
    timeout: float
    user: str
    groups: tuple[str, ...]
    watts: float | None


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at. Each is a list with commas or spaces; pairs are `name=value`.

    MONITOR_UNITS, MONITOR_MOUNTS; MONITOR_SERVICES (name=URL of its /ready), TV_URL (whose /api/state tells what sinks
    lag), MONITOR_CERTIFICATES (name=file.pem or name=host:port), MONITOR_KEYS (name=day on which it expires),
    MONITOR_BACKUPS (name=pattern of files), MONITOR_JOURNAL (what its sync says), MONITOR_DRIFT (a JSON file
    with the number of managed files that were changed), MONITOR_PEERS (name=URL of another host's monitor),
    MONITOR_TUNNEL (the public URL, `unit`: what the tunnel's unit tells, or `ngrok`: what its inspector tells),
    MONITOR_NGROK (that inspector, which is then looked at), MONITOR_NODES (name=URL of a BlockDAG node's RPC, asked as
    MONITOR_NODE_USER with MONITOR_NODE_PASSWORD), MONITOR_BLOCKDAG (what root's probe of this host's own node writes).
    """

    units: tuple[str, ...]
    mounts: tuple[str, ...]
    services: Pairs
    webhook: str
    certificates: Pairs
    keys: tuple[tuple[str, datetime], ...]
    backups: Pairs
    journal: Path | None
    drift: Path | None
    peers: Pairs
    tunnel: str
    ngrok: str
    nodes: Pairs
    node_user: str
    node_password: Secret
    blockdag: Path | None


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """MONITOR_HOST (what this machine is called; default: its name), MONITOR_RULES and MONITOR_ACTIONS (JSON files of
    rules and actions), MONITOR_INTERVAL in seconds, MONITOR_READINGS_MB (`readings_limit` in bytes), MONITOR_SYSFS and
    MONITOR_DEV, MONITOR_PING_URL (the dead-man switch, every MONITOR_PING_EVERY seconds), OPS_ADMIN_KEY, STORE_URL (the
    webhook's, where news are handed over), TRADING_STATE_DIR, LISTEN_HOST/PORT, JOURNAL_TZ, UI_LANGUAGE, LOG_FORMAT.
    """

    host: str
    listen: Listen
    state: Path
    hand_over: Path | Secret
    rules: Path
    actions: Path
    interval: float
    readings_limit: int
    ops_key: Secret
    timezone: ZoneInfo
    language: Language
    watch: Watching
    sysfs: Path
    dev: Path
    ping: Secret
    ping_every: float
    miner: MinerSettings
    watched: Watched

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        return (
            self.ops_key,
            self.ping,
            self.watched.node_password,
            *((self.hand_over,) if isinstance(self.hand_over, Secret) else ()),
        )


def load(environ: Mapping[str, str] | None = None) -> MonitorSettings:
    """Raises SettingsError naming each variable that is wrong. Without OPS_ADMIN_KEY nothing can be changed."""
    given = environment() if environ is None else environ
    env = Reader(given)
    state = env.state()
    found = MonitorSettings(
        host=env.read("MONITOR_HOST", socket.gethostname().partition(".")[0], _name),
        listen=env.listen(PORT),
        state=state,
        hand_over=env.place("STORE_URL") or state / "webhook.db",
        rules=env.read("MONITOR_RULES", "/opt/trading/monitor.json", Path),
        actions=env.read("MONITOR_ACTIONS", "/opt/trading/monitor-actions.json", Path),
        interval=env.read("MONITOR_INTERVAL", "5", _interval),
        readings_limit=env.read("MONITOR_READINGS_MB", "64", _megabytes),
        ops_key=Secret(given.get("OPS_ADMIN_KEY", "").strip()),
        timezone=env.timezone(),
        language=env.language(),
        watch=env.watch(),
        sysfs=env.read("MONITOR_SYSFS", "/sys", Path),
        dev=env.read("MONITOR_DEV", "/dev", Path),
        ping=_ping(given.get("MONITOR_PING_URL", "").strip(), env),
        ping_every=env.read("MONITOR_PING_EVERY", "60", _ping_interval),
        miner=_miner(env, given),
        watched=_watched(env, given),
    )
    env.finish()
    return found


def _miner(env: Reader, given: Mapping[str, str]) -> MinerSettings:
    return MinerSettings(
        api=env.read("MONITOR_CGMINER", "off", _address),
        timeout=env.read("MONITOR_CGMINER_TIMEOUT", "2.5", _patience),
        user=env.read("MONITOR_MINER_USER", "cgminer", _name),
        groups=env.read("MONITOR_MINER_GROUPS", "plugdev", _words),
        watts=env.read("MONITOR_WATTS", "0", _watts) or None,
    )


def _watched(env: Reader, given: Mapping[str, str]) -> Watched:
    journal, drift = env.path_or_none("MONITOR_JOURNAL"), env.path_or_none("MONITOR_DRIFT")
    return Watched(
        units=env.read("MONITOR_UNITS", ",", _units),
        mounts=env.read("MONITOR_MOUNTS", "/", _words),
        services=env.read("MONITOR_SERVICES", ",", _services),
        webhook=_url(given.get("TV_URL", "").strip(), env, "TV_URL"),
        certificates=env.read("MONITOR_CERTIFICATES", ",", _pairs),
        keys=env.read("MONITOR_KEYS", ",", _days),
        backups=env.read("MONITOR_BACKUPS", ",", _pairs),
        journal=journal,
        drift=drift,
        peers=env.read("MONITOR_PEERS", ",", _services),
        tunnel=(tunnel := _tunnel(given.get("MONITOR_TUNNEL", "").strip(), env)),
        ngrok=env.service("MONITOR_NGROK", NGROK) if tunnel == "ngrok" or "MONITOR_NGROK" in given else "",
        nodes=env.read("MONITOR_NODES", ",", _services),
        node_user=given.get("MONITOR_NODE_USER", "").strip(),
        node_password=Secret(given.get("MONITOR_NODE_PASSWORD", "").strip()),
        blockdag=env.path_or_none("MONITOR_BLOCKDAG"),
    )


def text_of(path: Path) -> str:
    """What a file of the inventory's says; an empty object where there is none. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "{}"
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _units(text: str) -> tuple[str, ...]:
    names = _words(text)
    if strange := [name for name in names if "." not in name or "/" in name]:
        raise ValueError(f"{strange[0]} is no unit: expected a name such as tv-webhook.service")
    return names


def _pairs(text: str) -> Pairs:
    found = [word.partition("=") for word in _words(text)]
    if strange := [name for name, _, value in found if not name or not value]:
        raise ValueError(f"{strange[0]!r}: expected NAME=VALUE")
    return tuple((name, value) for name, _, value in found)


def _services(text: str) -> Pairs:
    found = _pairs(text)
    for name, url in found:
        if urlsplit(url).scheme != "http" or not urlsplit(url).hostname:
            raise ValueError(f"{name}: expected a URL such as http://127.0.0.1:8000/ready")
    return found


def _days(text: str) -> tuple[tuple[str, datetime], ...]:
    try:
        return tuple((name, _utc(datetime.fromisoformat(value))) for name, value in _pairs(text))
    except ValueError as error:
        raise ValueError(f"expected NAME=2027-01-31: {error}") from None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _address(text: str) -> Address | None:
    if text.lower() == "off":
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("expected off, or an address and a port such as 127.0.0.1:4028")
    return Address(host, int(port))


def _url(text: str, env: Reader, name: str) -> str:
    if text and (urlsplit(text).scheme != "http" or not urlsplit(text).hostname):
        env.problem(f"{name}={text!r}: expected a URL such as http://127.0.0.1:8000")
    return text.rstrip("/")


def _tunnel(text: str, env: Reader) -> str:
    is_url = urlsplit(text).scheme in ("http", "https") and urlsplit(text).hostname
    if text and text not in ("ngrok", "unit") and not is_url:
        env.problem(f"MONITOR_TUNNEL={text!r}: expected ngrok, unit, or the public URL (https://example.ngrok.app)")
    return text.rstrip("/")


def _ping(text: str, env: Reader) -> Secret:
    """The URL is the check's password: it is never quoted."""
    try:
        return Secret(check_url(text) if text else "")
    except ValueError as error:
        env.problem(f"MONITOR_PING_URL: {error}")
        return Secret("")


def _name(text: str) -> str:
    if not text.isprintable() or len(text) > 64 or " " in text:
        raise ValueError("expected a name of up to 64 characters")
    return text


def _between(text: str, least: float, most: float, unit: str) -> float:
    value = float(text)
    if not least <= value <= most:
        raise ValueError(f"expected {unit}, from {least:g} to {most:g}")
    return value


def _interval(text: str) -> float:
    return _between(text, 0.2, 300, "seconds")


def _ping_interval(text: str) -> float:
    return _between(text, 10, 3600, "seconds")


def _patience(text: str) -> float:
    return _between(text, 0.1, 60, "seconds")


def _watts(text: str) -> float:
    return _between(text, 0, 100_000, "watts")


def _megabytes(text: str) -> int:
    return int(_between(text, 1, 100_000, "megabytes") * 1_000_000)
