"""Two lab hosts that are a cluster, candles in an S3 store beside them, and sweeps to run on both or here."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ops.lab.net import GATEWAY
from quant.candles import Candles
from quant.timeframe import Timeframe
from tests.lab.kit import Desk, Done

KEYS = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab-secret", "AWS_DEFAULT_REGION": "us-east-1"}
INVENTORY = """
version: 1
groups:
  compute:
    hosts: [{name}, {other}]
    settings:
      compute:
        workers: 1
        memory_percent: 20
        controllers: [{gateway}]
        storage: [{gateway}]
        s3_url: {s3}
        s3_key: {{env: AWS_ACCESS_KEY_ID}}
        s3_secret: {{env: AWS_SECRET_ACCESS_KEY}}
hosts:
  {name}:
    lab: true
    roles: [base, compute]
    settings: {{base: {{security_updates: false, time_sync: false}}}}
  {other}: {{like: {name}}}
"""
CONFIG = """
data: {{symbol: BTC/USDT, timeframe: 15m, url: "s3://candles/all"}}
exchange: {{id: lab}}
strategy: {{name: ma_cross}}
instrument: {{tick_size: 0.01}}
exits: {{stop_atr: {stop}}}
sweep:
  space: {{fast: {{from: 5, to: {fast}}}, slow: {{from: 210, to: 400, step: 10}}}}
"""


@dataclass
class Cluster:
    """The desk of its first host, the other's, and where S3 answers."""

    desk: Desk
    other: Desk
    s3: str
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {**KEYS, "AWS_ENDPOINT_URL_S3": self.s3}
        self.desk.text = INVENTORY
        self.desk.describe(other=self.other.host.name, gateway=GATEWAY, s3=self.s3)
        quant_environment(self.desk.root)

    def inv(self, *words: str) -> Done:
        return self.desk.inv(*words, env=self.environment)

    @property
    def url(self) -> str:
        return f"tcp://{self.desk.host.address}:8786"

    def sweep(self, run_id: str, fast: int, stop: float | None, *words: str) -> tuple[str, ...]:
        """20 combinations for each of `fast` - 4. With a `stop` they take the slower engine."""
        path = self.desk.root / f"{run_id}.yaml"
        path.write_text(CONFIG.format(fast=fast, stop=stop or "null"))
        return ("quant.sweep", "--config", str(path), "--run-id", run_id, "--no-journal", *words)

    def tables(self, run_id: str) -> list[bytes]:
        folder = self.desk.root / "reports" / run_id
        return [(folder / name).read_bytes() for name in ("summary_all.csv", "summary_filtered.csv")]


def quant_environment(root: Path) -> None:
    """What `./inv` would make of locks/quant.txt, out of the environment that the tests run in: it has all of it."""
    place = root / ".venv-quant"
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (place / "bin/python").chmod(0o755)
    shutil.copy(root / "locks/quant.txt", place / ".lock")
    (place / ".made-for").write_text(f"{root}\n")


def candles(bars: int) -> Candles:
    """A random walk in cents."""
    random = np.random.default_rng(1)
    close = np.round(30_000 + np.cumsum(random.normal(0, 20, bars)), 2)
    opened = np.concatenate(([30_000.0], close[:-1]))
    high, low = np.maximum(opened, close) + 5, np.minimum(opened, close) - 5
    time = 1_600_000_200_000 + 900_000 * np.arange(bars)
    return Candles("lab", "BTC/USDT", Timeframe.of("15m"), time, opened, high, low, close, np.ones(bars))
