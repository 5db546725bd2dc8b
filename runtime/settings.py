"""What each service is told by its environment. The only module that reads it.

Every problem is collected before anything starts, so one failed start names all of them. Standard library only: a wrong
setting must fail in milliseconds, before the web framework is imported.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from runtime import engines
from runtime.keys import DEFAULT, Key, Secret, check_distinct, read_keys

T = TypeVar("T")

PERF = "http://127.0.0.1:8010"
TIMEZONE = "America/Montreal"
Language = Literal["fr", "en"]


class SettingsError(Exception):
    """The environment cannot be used; the message has one line for each variable."""


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
    UI_LANGUAGE is fr or en.
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
    dedupe, expiry = env.read("DEDUPE_SECONDS", "30", _seconds), env.read("LOCK_EXPIRY_SECONDS", "0", _seconds)
    opposite, perf_url = env.read("OPPOSITE", "close", _opposite), env.read("PERF_URL", PERF, _url)
    more_keys, store = env.keys(key), env.place("STORE_URL")
    jsonl, rotation, watch = env.path_or_none("EVENTS_JSONL"), env.rotation(), env.watch()
    retention, language = env.read("RETENTION_DAYS", "0", _days), env.language()
    env.finish()
    found = (timezone, journal, state, listen, registry, dedupe, expiry, opposite, perf_url, more_keys, store)
    return WebhookSettings(key, ops_key, *found, jsonl, rotation, watch, retention, language)


def perf(environ: Mapping[str, str] | None = None) -> PerfSettings:
    """Settings of the ledger. Raises SettingsError naming each variable that is missing or wrong."""
    env = Reader(environment() if environ is None else environ)
    token = env.secret("PERF_TOKEN")
    equity0 = env.read("PERF_EQUITY0", "10000", _equity)
    reversal = env.read("PERF_REVERSAL", "keep", _reversal)
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


def environment() -> Mapping[str, str]:
    """The process's environment, for those who speak systemd's protocols."""
    return os.environ


class Reader:
    """Reads variables one by one and keeps what is wrong for `finish`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def secret(self, name: str) -> Secret:
        value = self._environ.get(name, "").strip()
        if not value:
            self._problems.append(f"{name} is not set: give it a value in the unit's EnvironmentFile")
        return Secret(value)

    def read(self, name: str, default: str, convert: Callable[[str], T]) -> T:
        """The variable, or `default` when it is absent or empty; a bad value is noted and the default stands in."""
        text = self._environ.get(name, "").strip() or default
        try:
            return convert(text)
        except (ValueError, OSError) as error:
            self._problems.append(f"{name}={text!r}: {error}")
            return convert(default)

    def keys(self, default: Secret) -> tuple[Key, ...]:
        """Of TV_WEBHOOK_KEYS; what is wrong with it is said without the text, which holds secrets."""
        try:
            keys = read_keys(self._environ.get("TV_WEBHOOK_KEYS", "").strip() or "{}")
            check_distinct((Key(DEFAULT, default), *keys))
        except ValueError as error:
            self._problems.append(f"TV_WEBHOOK_KEYS: {error}")
            return ()
        return keys

    def place(self, name: str) -> Path | Secret | None:
        """Where a store is; None when that is not said. A URL holds a password: what is wrong is told without it."""
        text = self._environ.get(name, "").strip()
        try:
            return _place(text) if text else None
        except ValueError as error:
            self._problems.append(f"{name}: {error}")
            return None

    def path_or_none(self, name: str) -> Path | None:
        text = self._environ.get(name, "").strip()
        return Path(text) if text else None

    def watch(self) -> Watching:
        style = self.read("LOG_FORMAT", "text", _log_format)
        least = self.read("READY_MIN_FREE_MB", "200", _megabytes)
        return Watching(style, least, self.read("READY_MAX_LAG", "300", _seconds))

    def rotation(self) -> Rotation:
        return Rotation(self.read("EVENTS_MAX_MB", "64", _megabytes), self.read("EVENTS_KEEP", "10", _count))

    def timezone(self) -> ZoneInfo:
        return self.read("JOURNAL_TZ", TIMEZONE, _timezone)

    def seconds(self, name: str, default: str) -> float:
        return self.read(name, default, _seconds)

    def service(self, name: str, default: str) -> str:
        """The URL of a service on this machine."""
        return self.read(name, default, _url)

    def problem(self, said: str) -> None:
        """For what is wrong with a value that must not be quoted."""
        self._problems.append(said)

    def state(self) -> Path:
        return self.read("TRADING_STATE_DIR", "/opt/trading/state", Path)

    def language(self) -> Language:
        return self.read("UI_LANGUAGE", "fr", _language)

    def listen(self, port: int) -> Listen:
        host = self.read("LISTEN_HOST", "127.0.0.1", str)
        return Listen(host, self.read("LISTEN_PORT", str(port), _port))

    def engines(self, zone: ZoneInfo) -> engines.Registry:
        """Of ENGINES_PATH and GUARDS_PATH. A file of guards that is named and missing is an error."""
        path = self.read("ENGINES_PATH", "/opt/trading/state/risk_config.json", Path)
        guards = self._environ.get("GUARDS_PATH", "").strip()
        try:
            return engines.load(path, zone, Path(guards) if guards else None)
        except engines.RegistryError as error:
            self._problems.append(f"{'GUARDS_PATH' if error.path == Path(guards) else 'ENGINES_PATH'}: {error}")
            return engines.Registry({})

    def finish(self) -> None:
        if self._problems:
            raise SettingsError("\n".join(self._problems))


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone; expected a name like America/Montreal") from None


def _reversal(text: str) -> str:
    value = text.lower()
    if value not in {"close", "keep"}:
        raise ValueError("expected close or keep")
    return value


def _equity(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise ValueError("expected a finite amount above 0")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 366 * 86_400:
        raise ValueError("expected seconds, from 0 to a year")
    return value


def _days(text: str) -> float:
    return _between(text, 0, 36_525)


def _megabytes(text: str) -> int:
    """In bytes."""
    return int(_between(text, 0, 1_000_000) * 1_000_000)


def _log_format(text: str) -> Literal["text", "json"]:
    if text == "text" or text == "json":
        return text  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected text or json")


def _count(text: str) -> int:
    return int(_between(text, 1, 100_000))


def _between(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}")
    return value


def _url(text: str) -> str:
    """Plain HTTP: the ledger is on this machine, and asks nobody here for a token."""
    url = urlsplit(text)
    if url.scheme != "http" or not url.hostname or url.query or (url.port or 80) < 1:
        raise ValueError("expected something like http://127.0.0.1:8010")
    return text


def _place(text: str) -> Path | Secret:
    expected = ValueError("expected postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:////PATH/OF/FILE")
    try:
        url = urlsplit(text)
    except ValueError:
        raise expected from None
    if url.scheme == "sqlite" and not url.netloc and url.path.startswith("//"):
        return Path(url.path[1:])
    if url.scheme not in ("postgresql", "postgres") or url.path.strip("/") == "":
        raise expected
    return Secret(text)


def _opposite(text: str) -> Literal["close", "reject"]:
    if text == "close" or text == "reject":
        return text  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected close or reject")


def _language(text: str) -> Language:
    value = text.lower()
    if value == "fr" or value == "en":
        return value  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected fr or en")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError("expected a port from 0 to 65535 (0: any free one)")
    return port
