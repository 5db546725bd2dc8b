"""Finds wallets' seed phrases: runs of BIP-39 words, whatever parts them (spaces, numbers, commas, quotes, lines).

Source: https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki, and its English list of 2,048 words (MIT
license, as the BIP). A phrase has 12, 15, 18, 21 or 24 words; prose does not use twelve of them in a row. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

SHORTEST = 12
WORDS = Path(__file__).with_name("bip39_english.txt")
_WORD = re.compile(rb"[A-Za-z]+")
_BETWEEN = re.compile(rb"(?:[\s,;|>\"'`*_.):\]-]|\d{1,2}|\xc2\xa0){1,24}")


def phrases(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the words of each run of at least twelve begin and end."""
    known, run = words(), list[re.Match[bytes]]()
    for word in _WORD.finditer(data):
        if word[0].lower() not in known:
            yield from _spots(run)
            run = []
            continue
        if run and not _BETWEEN.fullmatch(data, run[-1].end(), word.start()):
            yield from _spots(run)
            run = []
        run.append(word)
    yield from _spots(run)


@lru_cache(maxsize=1)
def words() -> frozenset[bytes]:
    """The list, in lower case."""
    return frozenset(WORDS.read_bytes().split())


def _spots(run: list[re.Match[bytes]]) -> Iterator[tuple[int, int]]:
    if len(run) >= SHORTEST and len({word[0].lower() for word in run}) > SHORTEST // 3:
        yield run[0].start(), run[-1].end()
