"""Candles and funding rates kept as Parquet under one URL, with a catalogue beside them (docs/candles.md)."""

from quant.dataset.dataset import Dataset as Dataset
from quant.dataset.dataset import load_for as load_for
from quant.dataset.funding import Funding as Funding
from quant.dataset.manifest import Series as Series
from quant.dataset.writing import Added as Added
