"""report.html: one file that asks nobody for anything, and runs no code but its own (its policy holds the hashes)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path

from quant.config import Config, resolved
from quant.report.blocks import Block
from quant.report.html import html, panel, say
from runtime import webui

STATIC = Path(__file__).with_name("static")
VENDOR = Path(webui.__file__).parent / "static/vendor/uplot"
SCRIPTS = (VENDOR / "uPlot.iife.min.js", STATIC / "data.js", STATIC / "plots.js", STATIC / "report.js")
SHEETS = (VENDOR / "uPlot.min.css", STATIC / "report.css")
THEME = STATIC / "theme.js"


def page(title: str, subtitle: str, blocks: Iterable[Block], config: Config, about: Mapping[str, object]) -> str:
    """The whole page: blocks in their order, then the settings and what the run is made of."""
    body = "".join(map(html, blocks))
    return (
        f'<!doctype html>\n<html lang="en" data-theme="dark">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="dark light">\n<meta name="referrer" content="no-referrer">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_sheet()}</style>\n<script>{_text(THEME)}</script>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">{say("skip")}</a>\n{_bar(title, subtitle)}'
        f'<main id="main">\n{body}{_settings(config, about)}</main>\n'
        f"<footer><p>{say('definitions')}</p><p>{say('past')}</p></footer>\n"
        f"<script>{_code()}</script>\n</body>\n</html>\n"
    )


def _bar(title: str, subtitle: str) -> str:
    return (
        f'<header class="bar"><h1>{escape(title)}</h1><p>{escape(subtitle)}</p><div class="tools">'
        f'<button type="button" id="language">{say("language")}</button>'
        f'<button type="button" id="theme">{say("theme")}</button></div></header>\n'
    )


def _settings(config: Config, about: Mapping[str, object]) -> str:
    pairs = "".join(
        f"<dt>{say(name)}</dt><dd><code>{escape(str(about[name]))}</code></dd>"
        for name in ("kind", "data", "code", "config", "seed")
        if name in about
    )
    text = f"<details><summary>config.yaml</summary><pre>{escape(resolved(config))}</pre></details>"
    return panel(say("identity"), f'<dl class="pairs">{pairs}</dl>{text}', kind="wide")


@cache
def _policy() -> str:
    """No address at all; inline code and style only as they are here."""
    scripts = " ".join(_hash(text) for text in (_text(THEME), _code()))
    return (
        f"default-src 'none'; script-src {scripts}; style-src {_hash(_sheet())}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


@cache
def _code() -> str:
    return "\n".join(map(_text, SCRIPTS))


@cache
def _sheet() -> str:
    return "\n".join(map(_text, SHEETS))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
