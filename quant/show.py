"""`python -m quant.show RUN`: a run's figures."""

from __future__ import annotations

import argparse

from quant import cli, runs, showing


def parser() -> cli.Parser:
    made = cli.Parser(prog="python -m quant.show", description="Show a run's figures.")
    made.add_argument("run", help="its run id")
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(given: argparse.Namespace) -> int:
    showing.show(runs.find(given.run), as_json=given.json)
    return 0


if __name__ == "__main__":
    cli.leave(cli.main(parser(), run))
