"""`python -m quant.compare A B`: two runs side by side, what they are and what came out."""

from __future__ import annotations

import argparse

from quant import cli, runs, showing


def parser() -> cli.Parser:
    made = cli.Parser(prog="python -m quant.compare", description="Show two runs side by side.")
    made.add_argument("a", help="a run id")
    made.add_argument("b", help="another")
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(given: argparse.Namespace) -> int:
    showing.compare(runs.find(given.a), runs.find(given.b), as_json=given.json)
    return 0


if __name__ == "__main__":
    cli.leave(cli.main(parser(), run))
