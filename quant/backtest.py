"""`python -m quant.backtest`: one strategy over candles, and all that its run leaves (docs/quant.md)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from quant import cli, luck, making, report, showing
from quant.candles import Candles
from quant.config import Config
from quant.dataset import Funding
from quant.engine import Result
from quant.engine import run as simulated
from quant.making import Made
from quant.metrics import shown
from quant.report.blocks import Figures
from quant.runs import Run


def parser() -> cli.Parser:
    return making.parser("backtest", "Run one strategy over candles, and report.")


def run(given: argparse.Namespace) -> int:
    showing.show(making.made(given, "backtest", _make), as_json=given.json)
    return 0


def _make(one: Run, candles: Candles, funding: Funding | None) -> Made:
    measures = written(one, simulated(one.config, candles, funding))
    one.finish()
    return Made(measures)


def written(one: Run, result: Result) -> dict[str, float | int | None]:
    """All files but the run's own. Returns what metrics.json holds: the figures, then how much of them may be luck."""
    chances = dict[str, float]()
    measures = report.write(one, result, _luck(one.config, result, chances))
    measures |= shown(chances)
    one.write_json(report.METRICS, measures)
    return measures


def _luck(config: Config, result: Result, chances: dict[str, float]) -> Iterator[Figures]:
    """Worked out when the page comes to it, beside the other files; `chances` then has the figures."""
    sharpe = luck.of_sharpe(result)
    chances |= {name: sharpe[name] for name in ("PSR", "min_days")}
    chances |= luck.monte_carlo(result, config.monte_carlo, config.seed)
    yield Figures("Luck", chances, large=0, definitions=luck.definitions())


if __name__ == "__main__":
    cli.leave(cli.main(parser(), run))
