"""Finds secrets in a text, and masks them. Pure; no value of a secret leaves this module."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret at bytes `start` to `end`; `preview` shows at most a prefix that tells nothing."""

    kind: str
    line: int
    start: int
    end: int
    preview: str
    rotate: str


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`(?P<v>...)` in `regex` is the value; `prefix` is how many of its first characters may be shown."""

    kind: str
    regex: re.Pattern[bytes]
    rotate: str
    prefix: int = 0


def _pattern(kind: str, regex: bytes, rotate: str, prefix: int = 0) -> _Pattern:
    return _Pattern(kind, re.compile(regex), rotate, prefix)


PATTERNS = (
    _pattern(
        "private-key",
        rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<v>[^-]{16,20000}(?:-(?!-{4})[^-]*){0,64})",
        "make a new key pair, remove the old public key wherever it is accepted",
    ),
    _pattern("age-key", rb"(?P<v>AGE-SECRET-KEY-1[0-9A-Z]{40,})", "./inv secrets.rotate --identity", 15),
    _pattern(
        "openai-key",
        rb"(?<![A-Za-z0-9_-])(?P<v>sk-[A-Za-z0-9_-]{20,})",
        "platform.openai.com, API keys: revoke it and make another",
        3,
    ),
    _pattern(
        "telegram-token",
        rb"(?<!\d)(?P<v>\d{8,10}:[A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])",
        "Telegram, @BotFather: /revoke, then deploy the new token",
    ),
    _pattern(
        "github-token",
        rb"(?<![A-Za-z0-9_])(?P<v>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        "github.com, Settings, Developer settings: revoke it",
        4,
    ),
    _pattern(
        "ngrok-token",
        rb"(?i:authtoken)(?:[\"']?\s*[:=]\s*|\s+)[\"']?(?P<v>[A-Za-z0-9_]{20,})",
        "dashboard.ngrok.com, Your Authtoken: reset it",
    ),
    _pattern(
        "ngrok-token",
        rb"(?<![A-Za-z0-9_])(?P<v>[1-9][A-Za-z0-9]{24,28}_[A-Za-z0-9]{18,24})(?![A-Za-z0-9_])",
        "dashboard.ngrok.com, Your Authtoken: reset it",
    ),
    _pattern("aws-key", rb"(?<![A-Z0-9])(?P<v>AKIA[0-9A-Z]{16})(?![A-Z0-9])", "AWS IAM: delete the access key", 4),
    _pattern(
        "webhook-key",
        rb"\"key\"\s*:\s*\"(?P<v>(?:[^\"\\\n]|\\.)+)\"",
        "./inv secrets.rotate webhook_key, deploy, then put the new key into the TradingView alerts",
    ),
    _pattern(
        "webhook-key",
        rb"\\\"key\\\"\s*:\s*\\\"(?P<v>[^\"\\\n]+)\\\"",
        "./inv secrets.rotate webhook_key, deploy, then put the new key into the TradingView alerts",
    ),
    _pattern(
        "seed-phrase",
        rb"(?i:seed|mnemonic|phrase)[^\n:=]{0,24}[:=]\s*[\"'`]?(?P<v>(?:[a-z]{3,8}[ ]){11,23}[a-z]{3,8})\b",
        "move the funds to a new wallet: a phrase cannot be changed",
    ),
    _pattern("password-in-url", rb"://[^\s/:@]+:(?P<v>[^\s/@]{4,})@", "change the password where it is used"),
    _pattern("bearer-token", rb"\b(?i:bearer) +(?P<v>[A-Za-z0-9._~+/-]{20,}=*)", "revoke the token where it was made"),
    _pattern(
        "assignment",
        rb"(?<![A-Za-z0-9_])[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)\s?=\s?[\"']?(?P<v>[^\s\"'`;&|<>(){}$]{6,})",
        "make a new value where this one comes from, then ./inv secrets.set",
    ),
)
_PLACEHOLDER = re.compile(
    rb"\.\.\.|\xe2\x80\xa6|\*\*\*|^[xX.*_-]+$|^\$|^<|^\{\{|^[Vv][Oo][Tt][Rr][Ee]_|^[Yy][Oo][Uu][Rr]_"
)


def find(data: bytes) -> list[Finding]:
    """The secrets in `data`, in order; where two kinds meet, the more telling one. Placeholders are none."""
    spots = [
        (*match.span("v"), rank)
        for rank, pattern in enumerate(PATTERNS)
        for match in pattern.regex.finditer(data)
        if not placeholder(match["v"])
    ]
    newlines = [match.start() for match in re.finditer(rb"\n", data)] if spots else []
    return [_finding(data, newlines, *spot) for spot in _apart(sorted(spots, key=lambda spot: (spot[0], spot[2])))]


def masked(data: bytes) -> bytes:
    """`data` with `***` in the place of each secret, each line still on its line."""
    return b"".join(_pieces(data))


def placeholder(value: bytes) -> bool:
    """Whether a value only stands where a secret would: `...`, `***`, `$KEY`, `<your key>`."""
    return _PLACEHOLDER.search(value.strip()) is not None


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    for finding in find(data):
        yield data[at : finding.start]
        lines = data.count(b"\n", finding.start, finding.end)
        yield b"\n***" + b"\n" * (lines - 1) if lines else b"***"
        at = finding.end
    yield data[at:]


def _apart(spots: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Without those that begin inside the one before."""
    last = -1
    for spot in spots:
        if spot[0] >= last:
            last = spot[1]
            yield spot


def _finding(data: bytes, newlines: list[int], start: int, end: int, rank: int) -> Finding:
    pattern = PATTERNS[rank]
    shown = data[start : start + pattern.prefix].decode(errors="replace")
    preview = f"{shown}*** ({end - start} characters)"
    return Finding(pattern.kind, bisect_right(newlines, start - 1) + 1, start, end, preview, pattern.rotate)
