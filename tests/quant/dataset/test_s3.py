"""The same dataset in an S3-compatible store: moto's server, s3fs and its real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quant.config import parse
from quant.dataset import Dataset, Funding, load_for
from quant.dataset.files import Files
from quant.errors import StoreFailed, UsageError
from tests.fakes.s3 import KEYS, S3
from tests.quant.dataset.series import HOUR, bars


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with S3() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield store


def test_a_dataset_lives_in_a_bucket(s3: S3) -> None:
    url = s3.bucket("first") + "/deep/folder"
    dataset, candles = Dataset(url, s3.url), bars(20_000)
    assert dataset.series() == []
    dataset.add(candles.part(0, 15_000))
    added = dataset.add(candles.part(14_000, 20_000))
    assert (added.added, added.series.sha256) == (5_000, candles.sha256)
    assert len(Files(url, s3.url).find("*/*/*/*.parquet")) == len(added.series.parts)
    assert dataset.add(candles).added == 0
    config = {"data": {"symbol": "BTC/USDT", "timeframe": "1h", "url": url, "endpoint_url": s3.url}}
    dataset.add_funding("BTC/USDT", "binance", Funding(np.array([0, 8]) * HOUR, np.array([1e-4, 2e-4])))
    loaded, funding = load_for(parse(config))
    assert loaded.sha256 == candles.sha256
    assert funding is not None
    assert funding.rate.tolist() == [1e-4, 2e-4]


def test_two_writers_lose_nothing_of_each_other(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is through while the first has written its files, and not yet named them."""
    url, candles = s3.bucket("second"), bars(10_000)
    slow, fast = Dataset(url, s3.url), Dataset(url, s3.url)
    fast.add(candles.part(0, 4_000))
    replace = Files.replace

    def overtaken(files: Files, path: str, data: bytes, seen: str | None) -> None:
        monkeypatch.setattr(Files, "replace", replace)
        fast.add(candles.part(4_000, 7_000))
        replace(files, path, data, seen)

    monkeypatch.setattr(Files, "replace", overtaken)
    assert slow.add(candles.part(7_000, 10_000)).added == 3_000
    assert slow.load("BTC/USDT", "1h").sha256 == candles.sha256


def test_the_endpoint_may_come_from_fsspec_itself(s3: S3, tmp_path: Path) -> None:
    url = s3.bucket("third")
    Dataset(url, s3.url).add(bars(50))
    (tmp_path / "s3.json").write_text(json.dumps({"s3": {"client_kwargs": {"endpoint_url": s3.url}}}))
    script = f"from quant.dataset import Dataset; print(len(Dataset({url!r}).load('BTC/USDT', '1h')))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=os.environ | {"FSSPEC_CONFIG_DIR": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "50\n"


def test_a_store_that_cannot_be_used_is_one_clear_error(s3: S3) -> None:
    with pytest.raises(StoreFailed, match=r"s3://nowhere/x: .*The specified bucket does not exist"):
        Dataset("s3://nowhere/x", s3.url).add(bars(5))
    with pytest.raises(UsageError, match=r"data\.url 'gopher://x' cannot be used"):
        Dataset("gopher://x")
    with pytest.raises(UsageError, match=r"data\.endpoint_url"):
        parse({"data": {"symbol": "x", "timeframe": "1h", "endpoint_url": "http://key:secret@host"}})
