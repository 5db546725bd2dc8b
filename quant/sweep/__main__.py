"""`python -m quant.sweep`: many combinations of one configuration over the same candles, and which were best."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from quant import cli, logbook
from quant.config import load
from quant.dataset import load_for
from quant.runs import Run, hash_of
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
    made = cli.Parser(prog="python -m quant.sweep", description="Try many parameters (docs/sweeps.md).")
    made.add_argument("--config", type=Path, required=True, help="config.yaml of the run (docs/quant.md)")
    made.add_argument("--run-id", default="auto", help="name of its folder in reports/ (default: made of what it is)")
    made.add_argument("--title", help="what it is, in words")
    made.add_argument("--processes", type=_count, help="how many at a time (default: one for each core)")
    made.add_argument("--scheduler", help="a Dask cluster instead, tcp://address:8786")
    made.add_argument("--json", action="store_true", help="print the figures as JSON")
    made.add_argument("--no-journal", action="store_true", help="write no entry into the log book")
    return made


def run(given: argparse.Namespace) -> int:
    config = load(given.config)
    space = Space.of(config)
    candles, funding = load_for(config)
    data = hash_of(candles, funding)
    with Run.begin(config, data, given.run_id, given.title, kind="sweep", source=candles.source, resume=True) as one:
        if one.existed:
            sys.stderr.write(f"run {one.id} exists already, and is the very same: nothing was done\n")
        else:
            _make(one, Study(one.config, candles, funding), space, given)
    writing.show(one.folder, as_json=given.json)
    return 0


def _make(run: Run, study: Study, space: Space, given: argparse.Namespace) -> None:
    with Kept(run.folder) as kept:
        with _place(study, given) as place:
            summary = worked_out(study, space, place, kept)
        found = writing.write(run, study, summary)
    kept.remove()
    run.finish()
    if not given.no_journal:
        logbook.tell(run, found, combinations=found["trials"], **found["best"])


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
