"""`python -m quant.sweep`: many combinations of one configuration over the same candles, and which were best."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from quant import cli
from quant.config import Config, load
from quant.dataset import load_for
from quant.metrics import DEFINITIONS
from quant.runs import Run, data_hash
from quant.sweep import combinations
from quant.sweep.combinations import Space
from quant.sweep.kept import Kept
from quant.sweep.progress import Progress
from quant.sweep.searching import searched
from quant.sweep.summary import Summary
from quant.sweep.trying import per_job, tried
from quant.sweep.where import Where, local
from quant.sweep.work import Study
from quant.sweep.writing import finished, show


def run(given: argparse.Namespace) -> int:
    config = load(given.config)
    space = Space.of(config)
    candles, funding = load_for(config)
    parts = [candles.sha256] + ([funding.sha256] if funding else [])
    started = Run.begin(
        config, data_hash(*parts), given.run_id, given.title, kind="sweep", source=candles.source, resume=True
    )
    with started:
        if not started.existed:
            study = Study(started.config, candles, funding)
            finished(started, study, _worked_out(study, space, started.folder, given), given)
        show(started.folder, json=given.json)
    return 0


def _worked_out(study: Study, space: Space, folder: Path, given: argparse.Namespace) -> Summary:
    config = study.config
    with Kept(folder) as kept, _place(study, given) as place:
        if config.sweep.method == "optuna":
            progress = Progress(config.sweep.trials, len(study.candles), 0)
            rows, chosen = searched(config, space, place, kept, progress.add)
        else:
            chosen = combinations.grid(config, space) if config.sweep.method == "grid" else combinations.drawn(config, space)
            progress = Progress(len(chosen.overrides), len(study.candles), sum(map(len, kept.rows.values())))
            rows = tried(chosen.overrides, per_job(len(study.candles)), place, kept, progress.add)
        progress.end()
    return Summary.of(space, config.sweep, rows, chosen.refused)
