"""A run's entry in the log book. A log book that cannot be written to is told, and never breaks a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from quant import places
from quant.metrics.definitions import HEADLINE
from quant.runs import Run

FILES = ("report.html", "metrics.json")


def tell(run: Run, measures: Mapping[str, object], **more: object) -> None:
    """Append what the finished run was and what came out to journal.md of the checkout; `more` are results too.

    Elsewhere (a host, another folder) only where there is a journal.md already.
    """
    book = places.home() / "journal.md"
    if not book.exists():
        return
    from runtime.journal import runner
    from runtime.journal.book import BookError

    results = {name: _short(measures.get(name)) for name in (*HEADLINE, "trades")} | more
    artefacts = [f"reports/{run.id}/{name}" for name in FILES if (run.folder / name).exists()]
    try:
        runner.write(book, _title(run), parameters=_parameters(run), results=results, artefacts=artefacts)
    except (BookError, OSError) as error:
        sys.stderr.write(f"warning: {run.id} is done, but the log book could not be written: {error}\n")


def _title(run: Run) -> str:
    config = run.config
    what = config.title or f"{config.strategy.name} {config.data.symbol} {config.data.timeframe}"
    return f"quant {run.about['kind']} — {what}"


def _parameters(run: Run) -> dict[str, object]:
    config = run.config
    return {
        "run": run.id,
        "données": f"{config.exchange.id} {config.data.symbol} {config.data.timeframe} ({run.about['data'][:12]})",
        "stratégie": config.strategy.name,
        **config.strategy.params,
        "code": run.about["code"],
        "seed": config.seed,
    }


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
