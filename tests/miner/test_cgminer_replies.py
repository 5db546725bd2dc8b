"""Replies in the form that firmwares send them, and hundreds of mutations: nothing but a CgminerError ever comes out.

Those under replies/ are written as cgminer 4.13's api.c and driver-gekko.c print them, the other vendor's as an
Antminer S9 does.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from miner.cgminer import ApiStrange, MinerState
from miner.cgminer.reply import Reply, parse
from miner.cgminer.state import COMMAND, join
from tests.fakes.cgminer import Cgminer, Pool, Stick

RECORDED = sorted(Path(__file__).with_name("replies").glob("*.json"))


def full() -> bytes:
    sticks = [Stick("10042", accepted=3), Stick("2", "GSH", 100, 2), Stick("3", "GSA", 300, temperature=55.0)]
    miner = Cgminer(sticks=sticks, pools=[Pool(), Pool(status="Dead")])
    miner.unplug("2")
    return miner.answer(json.dumps({"command": COMMAND}).encode()).removesuffix(b"\0")


FULL = full()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_reply_gives_what_stands_beside_it(path: Path) -> None:
    wanted = json.loads(path.with_suffix(".expected").read_text())
    reply = parse(wanted.get("command", COMMAND), path.read_bytes())
    if "state" in wanted:
        agree(json.loads(json.dumps(asdict(join(reply, {})), default=str)), wanted["state"], "state")
    else:
        assert {name: [dict(row) for row in rows] for name, rows in reply.sections.items()} == wanted["sections"]
        assert [reply.status.kind, reply.status.code] == wanted["status"]


def agree(found: Any, wanted: Any, where: str) -> None:
    """Everything that is wanted is found; what else there is does not matter."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            agree(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for at, value in enumerate(wanted):
            agree(found[at], value, f"{where}[{at}]")
    else:
        assert found == pytest.approx(wanted) if isinstance(wanted, float) else found == wanted, where


def is_sound(state: MinerState) -> None:
    """Numbers are finite, serial numbers of sticks that are gone are not shown twice."""
    numbers = [v for row in (state, *state.sticks, *state.pools) for v in asdict(row).values() if isinstance(v, float)]
    assert all(math.isfinite(number) for number in numbers)
    gone = [stick.serial for stick in state.sticks if stick.gone and stick.serial]
    assert len(gone) == len(set(gone))


def tried(raw: bytes) -> None:
    try:
        reply = parse(COMMAND, raw)
    except ApiStrange:
        return
    is_sound(join(reply, {}))


@given(st.integers(0, len(FULL)))
def test_a_reply_cut_off_anywhere_is_strange_or_whole(at: int) -> None:
    tried(FULL[:at])


@given(st.lists(st.tuples(st.integers(0, len(FULL) - 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_reply_with_any_bytes_changed_never_breaks_us(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(FULL)
    for at, byte in changes:
        raw[at] = byte
    tried(bytes(raw))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [path for key, inner in items for path in paths(inner, (*at, key))]


@given(st.data())
def test_a_reply_with_anything_in_any_place_never_breaks_us(data: st.DataObject) -> None:
    content = json.loads(FULL)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(paths(content)))
        place = content
        for key in path[:-1]:
            place = place[key]
        if data.draw(st.booleans()):
            place[path[-1]] = data.draw(JUNK)
        else:
            del place[path[-1]]
    tried(json.dumps(content).encode("utf-8", "surrogatepass"))


@given(st.text(max_size=40), st.sampled_from(["}{", "nan", "-inf", ",}", "inf", "} {", '"', "\\", "\\x41", "é\x07"]))
@example("x", "\\")
def test_what_stands_in_a_string_is_never_mended(text: str, trap: str) -> None:
    said = text + trap + text
    raw = json.dumps({"STATUS": [{"STATUS": "S", "Msg": said}], "X": [{"n": 1}]}, ensure_ascii=False)
    broken = raw.replace('"n": 1', '"n": nan').encode("utf-8", "surrogatepass")
    reply: Reply = parse("x", broken)
    assert reply.status.message == said.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert reply.row("X") == {"n": None}


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_reply_or_strange(raw: bytes) -> None:
    tried(raw)
