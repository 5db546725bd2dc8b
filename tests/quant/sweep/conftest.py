"""A home with candles of a random walk."""

from __future__ import annotations

from pathlib import Path

import pytest

from quant import places
from quant.dataset import Dataset
from tests.quant.sweep.kit import walk


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "home", lambda: tmp_path)
    Dataset(str(tmp_path / "data")).add(walk(3000))
    return tmp_path
