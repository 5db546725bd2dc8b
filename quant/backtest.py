"""`python -m quant.backtest`: one strategy over candles, and all that its run leaves (docs/quant.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from quant import cli, logbook, luck, report, showing
from quant.config import load
from quant.dataset import load_for
from quant.engine import Result
from quant.engine import run as simulated
from quant.metrics import shown
from quant.report.blocks import Figures
from quant.runs import Run, hash_of


def parser() -> cli.Parser:
    made = cli.Parser(prog="python -m quant.backtest", description="Run one strategy over candles, and report.")
    made.add_argument("--config", type=Path, required=True, help="config.yaml of the run (docs/quant.md)")
    made.add_argument("--run-id", default="auto", help="name of its folder in reports/ (default: made of what it is)")
    made.add_argument("--title", help="what it is, in words")
    made.add_argument("--json", action="store_true", help="print the figures as JSON")
    made.add_argument("--no-journal", action="store_true", help="write no entry into the log book")
    return made


def run(given: argparse.Namespace) -> int:
    config = load(given.config)
    candles, funding = load_for(config)
    with Run.begin(config, hash_of(candles, funding), given.run_id, given.title, source=candles.source) as one:
        if one.existed:
            sys.stderr.write(f"run {one.id} exists already, and is the very same: nothing was done\n")
        else:
            measures = written(one, simulated(one.config, candles, funding))
            one.finish()
            if not given.no_journal:
                logbook.tell(one, measures)
    showing.show(one.folder, as_json=given.json)
    return 0


def written(one: Run, result: Result) -> dict[str, float | int | None]:
    """All files but the run's own. Returns what metrics.json holds: the figures, then how much of them may be luck."""
    config = one.config
    sharpe = luck.of_sharpe(result)
    chances = {name: sharpe[name] for name in ("PSR", "min_days")}
    chances |= luck.monte_carlo(result, config.monte_carlo, config.seed)
    measures = report.write(one, result, [Figures("Luck", chances, large=0, definitions=luck.definitions())])
    measures |= shown(chances)
    one.write_json(report.METRICS, measures)
    return measures


if __name__ == "__main__":
    sys.exit(cli.main(parser(), run))
