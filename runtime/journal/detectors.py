"""What detect-secrets knows of other services' keys, asked line by line and never over the network.

Its entropy plugins are left out: in a session's text they find commit ids, checksums, addresses of wallets and base64
of ordinary text, and hardly ever a secret that the others do not. So are those whose pattern is any forty letters, or a
public address, and the one for OpenAI's keys, which runtime.journal.scrub knows better. Plugins that ask the service
whether a key works do so only when told to, and nobody here tells them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

PLUGINS = {
    "aws": "AWSKeyDetector", "azure_storage_key": "AzureStorageKeyDetector", "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector", "gitlab_token": "GitLabTokenDetector", "jwt": "JwtTokenDetector",
    "keyword": "KeywordDetector", "mailchimp": "MailchimpDetector", "npm": "NpmDetector",
    "pypi_token": "PypiTokenDetector", "sendgrid": "SendGridDetector", "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector", "stripe": "StripeDetector", "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}  # fmt: skip
ROTATE = "make a new one where this one comes from, and remove this one there"
NAMED = "named-secret"
WINDOW = 1000
"""Longer lines are looked at in pieces: the patterns' time grows with the square of a line."""
_OVERLAP = 250
CROWDED = 8
"""With more telling names in one piece, the keyword plugin takes seconds; runtime.journal.masking has its own."""
_NAMES = re.compile(r"(?i)key|pass|pwd|secret|contrase")
# A line without any of these cannot interest a plugin, and most lines have none.
_LIKELY = re.compile(
    rb"(?i)key|pass|pwd|secret|contrase|token|ak?ia|a3t|aws|eyj|gh[pousr]_|gl[a-z]{2,6}-|gr1348941|-us\d|sk-|pypi-|sg\.|xox|"
    rb"slack|sq0csp|_live_|\bac[a-z0-9]{32}|\bsk[a-z0-9]{32}|[mno][\w-]{23,25}\.|\d{8,10}:"
)
_NO_VALUE = re.compile(r"\s|^[\w.]*\(|^[A-Za-z_]+$|^[\w./-]*/$|^\d+$")


def find(data: bytes) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of each value that a plugin names."""
    at = 0
    for line in data.splitlines(keepends=True):
        if _LIKELY.search(line):
            for start in range(0, max(len(line) - _OVERLAP, 1), WINDOW):
                yield from _in_line(line[start : start + WINDOW + _OVERLAP], at + start)
        at += len(line)


def _in_line(line: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    text = line.decode("latin-1").rstrip("\r\n")  # one character a byte: offsets stay what they are
    crowded = len(_NAMES.findall(text)) > CROWDED
    for kind, plugin in plugins():
        if crowded and kind == NAMED:
            continue
        for start, end in _spots(plugin, text):
            if kind != NAMED or _credible(text[start:end], text):
                yield at + start, at + end, kind


def _spots(plugin: Any, text: str) -> Iterator[tuple[int, int]]:
    """Where the values stand. Of a pattern's groups, some are the value and some only its prefix."""
    if hasattr(plugin, "denylist") and not isinstance(plugin, plugins_that_check()):
        for pattern in plugin.denylist:
            for found in pattern.finditer(text):
                yield found.span(1) if pattern.groups and len(found[1] or "") >= 16 else found.span()
        return
    for value in set(plugin.analyze_string(text)):
        yield from (found.span() for found in re.finditer(re.escape(value), text))


def _credible(value: str, line: str) -> bool:
    """The keyword plugin takes whatever stands in quotes after a word like password."""
    from detect_secrets.filters import heuristic

    if len(value) < 6 or _NO_VALUE.search(value) or heuristic.is_not_alphanumeric_string(value):
        return False
    no = heuristic.is_potential_uuid(value), heuristic.is_templated_secret(value), heuristic.is_sequential_string(value)
    return not (any(no) or heuristic.is_prefixed_with_dollar_sign(value) or heuristic.is_indirect_reference(line))


@lru_cache(maxsize=1)
def plugins() -> tuple[tuple[str, Any], ...]:
    """(our name of the kind, the plugin) of each; imported here, because that takes a third of a second."""
    return tuple(
        (_kind(name), getattr(import_module(f"detect_secrets.plugins.{name}"), PLUGINS[name])()) for name in PLUGINS
    )


def plugins_that_check() -> tuple[type, ...]:
    """Those that look closer at what their pattern found."""
    return tuple(type(plugin) for kind, plugin in plugins() if kind == "jwt")


def _kind(module: str) -> str:
    return NAMED if module == "keyword" else module.replace("_", "-")
