"""Kernels from the cache: the same results in a process that compiled nothing, and nothing compiled twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quant import places

SCRIPT = """
import json, sys
import numpy as np
from numba.core import caching
from quant.compiled import compiled

@compiled
def made(values):
    found = np.zeros(len(values))
    for i in range(len(values)):
        found[i] = values[: i + 1].sum()
    return found, len(values)

@compiled
def never_cached(values):
    return np.sort(values)[::-1].copy()

found, n = made(np.arange(5.0))
hits = sum(made.stats.cache_hits.values())
loaded = "numba.typed.typeddict" in sys.modules and "numba.cpython.charseq" in sys.modules
later = never_cached(np.array([1.0, 3.0, 2.0])).tolist() if sys.argv[1] == "more" else []
print(json.dumps({"found": found.tolist(), "n": n, "hits": hits, "loaded": loaded, "later": later}))
"""


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """Run the script in a process of its own; the package lies outside a checkout, and caches where it is told."""
    script = tmp_path / "kernels.py"
    script.write_text(SCRIPT)

    def run(what: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(script), what],
            env=os.environ | {"PYTHONPATH": str(places.PACKAGE.parent)},
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    return run


def test_the_second_process_loads_what_the_first_compiled(ask: Any) -> None:
    first, second, third = ask("one"), ask("one"), ask("more")
    assert first["found"] == second["found"] == third["found"] == [0, 1, 3, 6, 10]
    assert (first["hits"], second["hits"]) == (0, 1)
    assert first["loaded"] and not second["loaded"]
    assert third["later"] == [3, 2, 1]  # compiled after one was loaded
