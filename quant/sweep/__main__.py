"""`python -m quant.sweep`: many combinations of one configuration over the same candles, and which were best."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from functools import partial

from quant import cli, making
from quant.candles import Candles
from quant.dataset import Funding
from quant.making import Made
from quant.runs import Run
from quant.sweep import combinations, writing
from quant.sweep.combinations import Space
from quant.sweep.kept import Kept
from quant.sweep.progress import Progress
from quant.sweep.searching import searched
from quant.sweep.summary import Summary
from quant.sweep.trying import per_job, tried
from quant.sweep.where import Where, local
from quant.sweep.work import Study


def parser() -> cli.Parser:
    made = making.parser("sweep", "Try many parameters (docs/sweeps.md).")
    made.add_argument("--processes", type=_count, help="how many at a time (default: one for each core)")
    made.add_argument("--scheduler", help="a Dask cluster instead, tcp://address:8786")
    return made


def run(given: argparse.Namespace) -> int:
    folder = making.made(given, "sweep", partial(_make, given), resume=True, check=Space.of)
    writing.show(folder, as_json=given.json)
    return 0


def _make(given: argparse.Namespace, one: Run, candles: Candles, funding: Funding | None) -> Made:
    study = Study(one.config, candles, funding)
    with Kept(one.folder) as kept:
        with _place(study, given) as place:
            summary = worked_out(study, Space.of(one.config), place, kept)
        found = writing.write(one, study, summary)
    kept.remove()
    one.finish()
    return Made(found, {"combinations": found["trials"], **found["best"]})


def worked_out(study: Study, space: Space, place: Where, kept: Kept) -> Summary:
    """Every combination that is wanted, with those that `kept` has already."""
    config, bars = study.config, len(study.candles)
    if config.sweep.method == "optuna":
        progress = Progress(config.sweep.trials, bars)
        rows, refused = searched(config, space, place, kept, progress)
    else:
        chosen = (
            combinations.grid(config, space) if config.sweep.method == "grid" else combinations.drawn(config, space)
        )
        progress, refused = Progress(len(chosen.overrides), bars), chosen.refused
        progress.skip(sum(map(len, kept.rows.values())))
        rows = tried(chosen.overrides, per_job(bars), place, kept, progress)
    progress.end()
    return Summary.of(space, config.sweep, rows, refused)


def _place(study: Study, given: argparse.Namespace) -> AbstractContextManager[Where]:
    if given.scheduler:
        from quant.sweep.dask_where import cluster

        return cluster(study, given.scheduler)
    return local(study, given.processes or len(os.sched_getaffinity(0)))


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return int(text)


if __name__ == "__main__":
    sys.exit(cli.main(parser(), run))
