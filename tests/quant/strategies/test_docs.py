"""docs/strategies.md: every strategy is in it, and its example works as a file that was copied."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quant import strategies
from quant.check import asking

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def mornings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    example = re.search(r"```python\n(.*?)```", (DOCS / "strategies.md").read_text(), re.DOTALL)
    assert example
    (tmp_path / "mornings.py").write_text(example[1])
    monkeypatch.setattr(strategies, "__path__", [*strategies.__path__, str(tmp_path)])
    strategies.names.cache_clear()
    yield "mornings"
    strategies.names.cache_clear()
    sys.modules.pop("quant.strategies.mornings", None)


def test_the_example_is_found_by_being_there_and_passes_the_checks(mornings: str) -> None:
    assert mornings in strategies.names()
    found = list(asking.without_data(strategies.get(mornings), None, 3))
    assert [one.check for one in found] == ["truncation", "canary"]
    assert not any(one.flagged for one in found), [one.words for one in found]
    assert int(found[1].numbers["trades"]) > 900  # type: ignore[arg-type]


def test_every_strategy_is_told() -> None:
    text = (DOCS / "strategies.md").read_text()
    for name in strategies.names():
        assert f"| `{name}` |" in text
