"""`python -m quant.walk`: choose on the past, trade the choice on what came next (docs/checks.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from quant import cli, logbook, showing
from quant.config import load
from quant.dataset import load_for
from quant.runs import Run, hash_of
from quant.walk.walking import Step, walk
from quant.walk.writing import figures, write


def parser() -> cli.Parser:
    made = cli.Parser(
        prog="python -m quant.walk", description="Choose on the past, trade the choice on what came next."
    )
    made.add_argument("--config", type=Path, required=True, help="config.yaml of the run (docs/quant.md)")
    made.add_argument("--run-id", default="auto", help="name of its folder in reports/ (default: made of what it is)")
    made.add_argument("--title", help="what it is, in words")
    made.add_argument("--json", action="store_true", help="print the figures as JSON")
    made.add_argument("--no-journal", action="store_true", help="write no entry into the log book")
    return made


def run(given: argparse.Namespace) -> int:
    config = load(given.config)
    candles, funding = load_for(config)
    one = Run.begin(config, hash_of(candles, funding), given.run_id, given.title, kind="walk", source=candles.source)
    with one:
        if one.existed:
            sys.stderr.write(f"run {one.id} exists already, and is the very same: nothing was done\n")
        else:
            walked = walk(one.config, candles, funding, _told)
            measures = write(one, walked, candles)
            one.finish()
            if not given.no_journal:
                logbook.tell(one, measures, **figures(walked, one.config))
    showing.show(one.folder, as_json=given.json)
    return 0


def _told(number: int, of: int, step: Step) -> None:
    chosen = ", ".join(f"{name} {value}" for name, value in step.choice.override.items())
    few = "" if step.choice.enough else ", none had trades enough"
    sys.stderr.write(
        f"window {number} of {of}: {chosen} ({step.choice.objective:.2f} in training{few}), then Sharpe "
        f"{step.tested['Sharpe']:.2f} in {int(step.tested['trades'])} trades\n"
    )


if __name__ == "__main__":
    sys.exit(cli.main(parser(), run))
