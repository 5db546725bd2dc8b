"""`python -m quant.walk`: choose on the past, trade the choice on what came next (docs/checks.md)."""

from __future__ import annotations

import argparse
import sys

from quant import cli, making, showing
from quant.candles import Candles
from quant.dataset import Funding
from quant.making import Made
from quant.runs import Run
from quant.walk.walking import Step, walk
from quant.walk.writing import figures, write


def parser() -> cli.Parser:
    return making.parser("walk", "Choose on the past, trade the choice on what came next.")


def run(given: argparse.Namespace) -> int:
    showing.show(making.made(given, "walk", _make), as_json=given.json)
    return 0


def _make(one: Run, candles: Candles, funding: Funding | None) -> Made:
    walked = walk(one.config, candles, funding, _told)
    measures = write(one, walked, candles)
    one.finish()
    return Made(measures, figures(walked, one.config))


def _told(number: int, of: int, step: Step) -> None:
    chosen = ", ".join(f"{name} {value}" for name, value in step.choice.override.items())
    few = "" if step.choice.enough else ", none had trades enough"
    sys.stderr.write(
        f"window {number} of {of}: {chosen} ({step.choice.objective:.2f} in training{few}), then Sharpe "
        f"{step.tested['Sharpe']:.2f} in {int(step.tested['trades'])} trades\n"
    )


if __name__ == "__main__":
    sys.exit(cli.main(parser(), run))
