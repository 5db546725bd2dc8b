"""`python -m quant.check`: every question of honesty, each with its verdict; exit 1 when something is flagged.

Without a configuration: look-ahead of every indicator and every strategy, with its own parameters. With one: the same
on its candles too, and for its strategy costs, delay, neighbours and luck.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from quant import strategies
from quant.check import asking, showing
from quant.check.finding import Finding
from quant.cli import Parser, main
from quant.config import Config, load

SEEDS = 20
MOST_SEEDS = 1000


def run(given: argparse.Namespace) -> int:
    config = load(given.config) if given.config else None
    names = [given.strategy] if given.strategy else list(strategies.names())
    seeds = given.seeds if given.seeds is not None else SEEDS
    findings = list(_asked(config, names, given.strategy, seeds))
    if given.json:
        sys.stdout.write(json.dumps(_shown(findings), indent=2, allow_nan=False) + "\n")
    else:
        showing.show(findings)
    return int(any(one.flagged for one in findings))


def _asked(config: Config | None, names: list[str], only: str | None, seeds: int) -> Iterator[Finding]:
    trial = asking.loaded(strategies.get(only or config.strategy.name), config) if config else None
    yield from asking.indicators()
    for name in names:
        yield from asking.without_data(strategies.get(name), config, seeds)
    if trial:
        yield from asking.with_data(trial)


def _shown(findings: list[Finding]) -> dict[str, object]:
    return {"flagged": sum(one.flagged for one in findings), "findings": [one.shown() for one in findings]}


def _seeds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r} random walks: 1 to {MOST_SEEDS} can be")
    return int(text)


def parser() -> Parser:
    found = Parser("python -m quant.check", description=__doc__)
    found.add_argument("--config", type=Path, help="config.yaml: its candles and its strategy are checked as well")
    found.add_argument("--strategy", help="this one instead of all")
    found.add_argument("--seeds", type=_seeds, help=f"random walks, 1 to {MOST_SEEDS} (default: {SEEDS})")
    found.add_argument("--json", action="store_true", help="for machines")
    return found


if __name__ == "__main__":
    sys.exit(main(parser(), run))
