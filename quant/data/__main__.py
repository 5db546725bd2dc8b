"""`python -m quant.data [--verify] [--json]`: which candles there are; exit 1 when something is wrong with them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from quant import config as settings
from quant.cli import Parser, leave, main
from quant.data import catalogue
from quant.data.catalogue import Catalogue
from quant.dataset import Dataset


def parser() -> Parser:
    found = Parser("python -m quant.data", description=__doc__)
    found.add_argument("--config", type=Path, help="config.yaml, for where data is kept")
    found.add_argument("--verify", action="store_true", help="read every file and check it against the catalogue")
    found.add_argument("--json", action="store_true", help="for programs")
    return found


def run(given: argparse.Namespace) -> int:
    dataset = Dataset.of(settings.load(given.config) if given.config else None)
    found = catalogue.of(dataset, verified=given.verify)
    if given.json:
        sys.stdout.write(json.dumps(found.to_json(), indent=2) + "\n")
    else:
        _show(found)
    return 1 if found.problems else 0


def _show(found: Catalogue) -> None:
    from quant.data import table

    table.show(found, sys.stdout)


if __name__ == "__main__":
    leave(main(parser(), run))
