"""Words by themselves: stems are the same however many threads ask for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.journal.words import _stem

ROOTS = ("restaur", "sauvegard", "configur", "redemarr", "verifi", "fenetr", "journal", "continu")
ENDINGS = ("ation", "ations", "er", "ement", "ées", "issait", "ant", "euse")
WORDS = [root + ending for root in ROOTS for ending in ENDINGS]


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads change every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_a_word_s_stem_is_its_own_whatever_other_threads_ask() -> None:
    """The webhook indexes in one thread and answers searches in others."""
    alone = [_stem(word) for word in WORDS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: [_stem(word) for word in WORDS], range(12)))
    assert found == [alone] * 12
