"""What `quant.backtest`, `quant.walk` and `quant.sweep` share: how a run is asked for, begun, told and shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from quant import cli, logbook
from quant.candles import Candles
from quant.config import Config, load
from quant.dataset import Funding, load_for
from quant.runs import Run, hash_of


class Made(NamedTuple):
    """What a finished run tells the log book: its figures, and what else came out."""

    measures: Mapping[str, object]
    more: Mapping[str, object] = {}


Make = Callable[[Run, Candles, Funding | None], Made]
"""Writes all files of a run and finishes it."""


def parser(name: str, description: str) -> cli.Parser:
    made = cli.Parser(prog=f"python -m quant.{name}", description=description)
    made.add_argument("--config", type=Path, required=True, help="config.yaml of the run (docs/quant.md)")
    made.add_argument("--run-id", default="auto", help="name of its folder in reports/ (default: made of what it is)")
    made.add_argument("--title", help="what it is, in words")
    made.add_argument("--json", action="store_true", help="print the figures as JSON")
    made.add_argument("--no-journal", action="store_true", help="write no entry into the log book")
    return made


def made(
    given: argparse.Namespace,
    kind: str,
    make: Make,
    *,
    resume: bool = False,
    check: Callable[[Config], object] = lambda _: None,
) -> Path:
    """The run's folder: made now, or there already. `check` may refuse the configuration before candles are read."""
    config = load(given.config)
    check(config)
    candles, funding = load_for(config)
    data, source = hash_of(candles, funding), candles.source
    with Run.begin(config, data, given.run_id, given.title, kind=kind, source=source, resume=resume) as run:
        if run.existed:
            sys.stderr.write(f"run {run.id} exists already, and is the very same: nothing was done\n")
        else:
            found = make(run, candles, funding)
            if not given.no_journal:
                logbook.tell(run, found.measures, **found.more)
    return run.folder
