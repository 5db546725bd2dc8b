"""What `journal.save` is told by its environment: on a host by /opt/trading/.env.d/logbook.env."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from runtime import convert
from runtime.keys import Secret
from runtime.settings import Language, Reader, environment

MODEL = "gpt-5-mini"
BASE_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL; OPENAI_TIMEOUT is the seconds an answer may take, OPENAI_RETRIES
    how often it is asked again, OPENAI_CHUNK_CHARS how much of a paste it is shown at once.
    """

    key: Secret
    model: str = MODEL
    base_url: str = BASE_URL
    timeout: float = 180.0
    retries: int = 3
    chunk: int = 120_000


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """JOURNAL_PATH, JOURNAL_TZ, JOURNAL_LANGUAGE (fr or en), JOURNAL_KEEP_DAYS (raw pastes; 0: for ever).

    `model` has the model's; it is None without OPENAI_API_KEY.
    """

    path: Path | None
    timezone: ZoneInfo
    language: Language
    keep_days: float
    model: ModelSettings | None


def journal(environ: Mapping[str, str] | None = None) -> JournalSettings:
    """Raises runtime.settings.SettingsError naming each variable that is wrong."""
    given = environment() if environ is None else environ
    env = Reader(given)
    path, timezone = env.path_or_none("JOURNAL_PATH"), env.timezone()
    language = env.read("JOURNAL_LANGUAGE", "fr", convert.language)
    keep, model = env.read("JOURNAL_KEEP_DAYS", "30", convert.days), _model(env, given)
    env.finish()
    return JournalSettings(path, timezone, language, keep, model)


def _model(env: Reader, given: Mapping[str, str]) -> ModelSettings | None:
    name, url = env.read("OPENAI_MODEL", MODEL, str), env.read("OPENAI_BASE_URL", BASE_URL, _url)
    timeout = env.read("OPENAI_TIMEOUT", "180", partial(convert.between, low=1, high=3600))
    retries = int(env.read("OPENAI_RETRIES", "3", partial(convert.between, low=0, high=20)))
    chunk = int(env.read("OPENAI_CHUNK_CHARS", "120000", partial(convert.between, low=1000, high=2_000_000)))
    key = given.get("OPENAI_API_KEY", "").strip()
    if key and not (key.isascii() and key.isprintable()):
        env.problem("OPENAI_API_KEY holds something that no key has: give it again, on one line")
    return ModelSettings(Secret(key), name, url, timeout, retries, chunk) if key else None


def _url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.password:
        raise ValueError(f"expected something like {BASE_URL}")
    return text
