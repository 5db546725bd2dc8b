"""What each service is told by its environment.

Every problem is collected before anything starts, so one failed start names all of them. Standard library only: a wrong
setting must fail in milliseconds, before the web framework is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from runtime import convert, engines, gate
from runtime.convert import Language as Language  # part of what settings are
from runtime.environ import SettingsError as SettingsError
from runtime.environ import Variables
from runtime.environ import environment as environment
from runtime.keys import DEFAULT, Key, Secret, check_distinct, read_keys
from runtime.node import PATH as NODE
from runtime.tunnel.state import PATH as TUNNEL

T = TypeVar("T")

PERF = "http://127.0.0.1:8010"
TIMEZONE = "America/Montreal"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen when systemd hands over no socket."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Watching:
    """How a service shows itself: LOG_FORMAT (text or json), and when /ready says no: less than READY_MIN_FREE_MB of
    disk (`min_free` in bytes); READY_MAX_LAG is the seconds after which a sink counts as degraded.
    """

    log_format: Literal["text", "json"] = "text"
    min_free: int = 200_000_000
    max_lag: float = 300.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """A file of `limit` bytes is put aside; the newest `keep` of those are kept."""

    limit: int = 64_000_000
    keep: int = 10


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Of tv-webhook: TV_WEBHOOK_KEY, OPS_ADMIN_KEY, JOURNAL_TZ, JOURNAL_PATH, TRADING_STATE_DIR, LISTEN_HOST/PORT.

    ENGINES_PATH and GUARDS_PATH are read here, once: a service never runs with half a registry. DEDUPE_SECONDS
    (0: off), LOCK_EXPIRY_SECONDS (0: never), OPPOSITE (close or reject), PERF_URL (the ledger, on this machine),
    TV_WEBHOOK_KEYS (more keys, see `runtime.keys`), STORE_URL (PostgreSQL; default: a file in TRADING_STATE_DIR).
    EVENTS_JSONL (empty: none) is put aside at EVENTS_MAX_MB, EVENTS_KEEP times. RETENTION_DAYS (0: for ever).
    UI_LANGUAGE is fr or en. TUNNEL_ALLOWS (alerts or all) and TUNNEL_SOURCES (tradingview, addresses, networks; empty:
    anybody with a key) are the gate's, see `runtime.gate`; TUNNEL_STATE is the file in which the tunnel's unit on this
    machine says how it stands, NODE_STATE the one of its BlockDAG node's probe.
    """

    key: Secret
    ops_key: Secret
    timezone: ZoneInfo
    journal: Path
    state: Path
    listen: Listen
    engines: engines.Registry
    dedupe_seconds: float = 30.0
    lock_expiry: float = 0.0
    opposite: Literal["close", "reject"] = "close"
    perf_url: str = PERF
    more_keys: tuple[Key, ...] = ()
    store: Path | Secret | None = None
    jsonl: Path | None = None
    rotation: Rotation = Rotation()
    watch: Watching = Watching()
    retention_days: float = 0.0
    language: Language = "fr"
    sources: tuple[gate.Network, ...] = ()
    forwarded: gate.Forwarded = "alerts"
    tunnel: Path = TUNNEL
    node: Path = NODE

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        url = (self.store,) if isinstance(self.store, Secret) else ()
        return (*(key.secret for key in self.keys), self.ops_key, *url)

    @property
    def keys(self) -> tuple[Key, ...]:
        """All that an alert may carry."""
        return (Key(DEFAULT, self.key), *self.more_keys)

    @property
    def database(self) -> Path | Secret:
        """A file, or the URL of a PostgreSQL database."""
        return self.store or self.state / "webhook.db"


@dataclass(frozen=True, slots=True)
class PerfSettings:
    """Of perf: PERF_TOKEN, PERF_EQUITY0 (account currency), PERF_REVERSAL, TRADING_STATE_DIR, LISTEN_HOST/PORT.

    PERF_STORE_URL (PostgreSQL; default: a file in TRADING_STATE_DIR).
    JOURNAL_TZ and UI_LANGUAGE (fr or en) are its page's.
    """

    token: Secret
    equity0: float
    state: Path
    listen: Listen
    reversal: str = "keep"
    store: Path | Secret | None = None
    watch: Watching = Watching()
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo(TIMEZONE))
    language: Language = "fr"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        return (self.token, *((self.store,) if isinstance(self.store, Secret) else ()))

    @property
    def database(self) -> Path | Secret:
        """A file, or the URL of a PostgreSQL database."""
        return self.store or self.state / "perf.db"


def webhook(environ: Mapping[str, str] | None = None) -> WebhookSettings:
    """Settings of the webhook. Raises SettingsError naming each variable that is missing or wrong."""
    env = Reader(environment() if environ is None else environ)
    key, ops_key = env.secret("TV_WEBHOOK_KEY"), env.secret("OPS_ADMIN_KEY")
    timezone = env.timezone()
    journal = env.read("JOURNAL_PATH", "/opt/trading/journal.md", Path)
    state, listen = env.state(), env.listen(8000)
    registry = env.engines(timezone)
    dedupe, expiry = env.seconds("DEDUPE_SECONDS", "30"), env.seconds("LOCK_EXPIRY_SECONDS", "0")
    opposite, perf_url = env.read("OPPOSITE", "close", convert.opposite), env.read("PERF_URL", PERF, convert.url)
    more_keys, store = env.keys(key), env.place("STORE_URL")
    jsonl, rotation, watch = env.path_or_none("EVENTS_JSONL"), env.rotation(), env.watch()
    retention, language = env.read("RETENTION_DAYS", "0", convert.days), env.language()
    sources = env.read("TUNNEL_SOURCES", "", gate.networks)
    forwarded = env.read("TUNNEL_ALLOWS", "alerts", convert.forwarded)
    tunnel = env.read("TUNNEL_STATE", str(TUNNEL), Path)
    node = env.read("NODE_STATE", str(NODE), Path)
    env.finish()
    found = (timezone, journal, state, listen, registry, dedupe, expiry, opposite, perf_url, more_keys, store)
    return WebhookSettings(
        key, ops_key, *found, jsonl, rotation, watch, retention, language, sources, forwarded, tunnel, node
    )


def perf(environ: Mapping[str, str] | None = None) -> PerfSettings:
    """Settings of the ledger. Raises SettingsError naming each variable that is missing or wrong."""
    env = Reader(environment() if environ is None else environ)
    token = env.secret("PERF_TOKEN")
    equity0 = env.read("PERF_EQUITY0", "10000", convert.equity)
    reversal = env.read("PERF_REVERSAL", "keep", convert.reversal)
    state, listen, store = env.state(), env.listen(8010), env.place("PERF_STORE_URL")
    watch, timezone, language = env.watch(), env.timezone(), env.language()
    env.finish()
    return PerfSettings(token, equity0, state, listen, reversal, store, watch, timezone, language)


def store_place(service: str, environ: Mapping[str, str] | None = None) -> Path | Secret:
    """Where the store of `webhook` or `perf` is, for those who need nothing else. Raises SettingsError."""
    env = Reader(environment() if environ is None else environ)
    found = env.place("STORE_URL" if service == "webhook" else "PERF_STORE_URL") or env.state() / f"{service}.db"
    env.finish()
    return found


class Reader(Variables):
    """Of what services are told."""

    def secret(self, name: str) -> Secret:
        value = self.text(name)
        if not value:
            self.problem(f"{name} is not set: give it a value in the unit's EnvironmentFile")
        return Secret(value)

    def read(self, name: str, default: str, convert: Callable[[str], T]) -> T:
        """The variable, or `default` when it is absent or empty; a bad value is noted and the default stands in."""
        text = self.text(name) or default
        try:
            return convert(text)
        except (ValueError, OSError) as error:
            self.problem(f"{name}={text!r}: {error}")
            return convert(default)

    def keys(self, default: Secret) -> tuple[Key, ...]:
        """Of TV_WEBHOOK_KEYS; what is wrong with it is said without the text, which holds secrets."""
        try:
            keys = read_keys(self.text("TV_WEBHOOK_KEYS") or "{}")
            check_distinct((Key(DEFAULT, default), *keys))
        except ValueError as error:
            self.problem(f"TV_WEBHOOK_KEYS: {error}")
            return ()
        return keys

    def place(self, name: str) -> Path | Secret | None:
        """Where a store is; None when that is not said. A URL holds a password: what is wrong is told without it."""
        text = self.text(name)
        try:
            return convert.place(text) if text else None
        except ValueError as error:
            self.problem(f"{name}: {error}")
            return None

    def path_or_none(self, name: str) -> Path | None:
        text = self.text(name)
        return Path(text) if text else None

    def watch(self) -> Watching:
        style = self.read("LOG_FORMAT", "text", convert.log_format)
        least = self.read("READY_MIN_FREE_MB", "200", convert.megabytes)
        return Watching(style, least, self.seconds("READY_MAX_LAG", "300"))

    def rotation(self) -> Rotation:
        limit = self.read("EVENTS_MAX_MB", "64", convert.megabytes)
        return Rotation(limit, self.read("EVENTS_KEEP", "10", convert.whole))

    def timezone(self) -> ZoneInfo:
        return self.read("JOURNAL_TZ", TIMEZONE, convert.timezone)

    def seconds(self, name: str, default: str) -> float:
        return self.read(name, default, convert.seconds)

    def service(self, name: str, default: str) -> str:
        """The URL of a service on this machine."""
        return self.read(name, default, convert.url)

    def state(self) -> Path:
        return self.read("TRADING_STATE_DIR", "/opt/trading/state", Path)

    def language(self) -> Language:
        return self.read("UI_LANGUAGE", "fr", convert.language)

    def listen(self, port: int) -> Listen:
        host = self.read("LISTEN_HOST", "127.0.0.1", str)
        return Listen(host, self.read("LISTEN_PORT", str(port), convert.port))

    def engines(self, zone: ZoneInfo) -> engines.Registry:
        """Of ENGINES_PATH and GUARDS_PATH. A file of guards that is named and missing is an error."""
        path = self.read("ENGINES_PATH", "/opt/trading/state/risk_config.json", Path)
        guards = self.text("GUARDS_PATH")
        try:
            return engines.load(path, zone, Path(guards) if guards else None)
        except engines.RegistryError as error:
            self.problem(f"{'GUARDS_PATH' if error.path == Path(guards) else 'ENGINES_PATH'}: {error}")
            return engines.Registry({})
