"""Several processes of this machine that read the same candles: one file, mapped by each, never copied."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from quant.candles import COLUMNS, Candles
from quant.config import Config
from quant.engine.simulating import Rates
from quant.sweep.pooled import Pooled
from quant.sweep.where import Done, Job, Where
from quant.sweep.work import Study, evaluate
from quant.timeframe import Timeframe


@dataclass(frozen=True)
class Mapped:
    """Candles as a file of their columns, one after the other, eight bytes a value; small enough to be sent.

    The file has no name, so that nothing of it outlives a kill: others reach it through the process that holds it.
    """

    path: str
    source: str
    symbol: str
    timeframe: Timeframe
    bars: int

    @classmethod
    def written(cls, candles: Candles, file: BinaryIO) -> Mapped:
        for name in COLUMNS:
            file.write(getattr(candles, name).data)
        file.flush()
        path = f"/proc/{os.getpid()}/fd/{file.fileno()}"
        return cls(path, candles.source, candles.symbol, candles.timeframe, len(candles))

    def candles(self) -> Candles:
        with Path(self.path).open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = self.bars * 8
        columns = {
            name: np.frombuffer(memory, np.int64 if name == "time" else np.float64, self.bars, index * size)
            for index, name in enumerate(COLUMNS)
        }
        return Candles(self.source, self.symbol, self.timeframe, **columns)  # type: ignore[arg-type]


@contextmanager
def several(study: Study, processes: int) -> Iterator[Where]:
    """A Where of `processes` processes, ended when the block is left, by Ctrl-C too."""
    with tempfile.TemporaryFile() as file:
        mapped = Mapped.written(study.candles, file)
        pool = ProcessPoolExecutor(
            processes,
            multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(study.config, mapped, study.funding),
        )
        try:
            _start(pool, processes)
            yield Pooled(pool, processes, _work)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_study: Study


def _start(pool: ProcessPoolExecutor, processes: int) -> None:
    """All of them now. Ctrl-C goes to all of a terminal, and would end one amid its imports with a traceback: they are
    started with it held back, which a new process takes over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(processes):
            pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(config: Config, mapped: Mapped, funding: Rates | None) -> None:
    global _study
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _study = Study(config, mapped.candles(), funding)


def _end_with_parent() -> None:
    """kill -9 of the first process must not leave the others waiting for jobs for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job) -> Done:
    return job.number, evaluate(_study.config, _study.candles, _study.funding, job.overrides)
