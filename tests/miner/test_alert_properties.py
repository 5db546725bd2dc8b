"""What holds for every sequence of readings, whatever they are."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from miner.alerts import rules
from miner.alerts.engine import step
from miner.alerts.quiet import NOTHING, Quiet
from miner.alerts.states import States, from_json
from miner.readings import Cycle, Reading
from tests.miner.alert_kit import OLD, moment

RULES = rules.load(
    json.dumps(
        {
            "slow": {
                "metric": "stick.hashrate_ratio",
                "below": 0.7,
                "clear": 0.8,
                "for": 10,
                "clear_for": 10,
                "repeat": 60,
            },
            "flapping": {"times": 3, "within": "2m", "stable": "40s"},
            "stick.slow": None,
            "stick.missing": {"inhibited_by": ["hub.missing"], "repeat": 90},
        }
    )
)
WITHIN = {"A": "1-1", "B": "1-1"}
VALUES = {
    ("stick.present", "A"): (1.0, 0.0, None),
    ("stick.present", "B"): (1.0, 0.0, None),
    ("hub.present", "1-1"): (1.0, 0.0),
    ("stick.hashrate_ratio", "A"): (1.0, 0.75, 0.5, None),
    ("miner.uptime_s", ""): (1e6, 10.0),
}
QUIETS = st.sampled_from(
    (NOTHING, NOTHING, NOTHING, Quiet(muted=("B",)), Quiet(hours=True), Quiet(maintenance=("slow",)))
)


STEP = st.tuples(
    st.sampled_from((0.2, 0.5, 5.0, 5.0, 5.0, 20.0)),
    st.lists(st.sampled_from([Reading(*key, value) for key, values in VALUES.items() for value in values]), max_size=6),
    st.sampled_from((0.0, 0.0, 0.0, 7200.0, -7200.0)),
    QUIETS,
    st.sampled_from((False,) * 9 + (True,)),
)


def cycles() -> st.SearchStrategy[list[tuple[Cycle, Quiet]]]:
    """Some minutes of a machine where anything may be read or missing, with reboots and turned clocks among it."""
    return st.lists(STEP, max_size=30).map(laid_out)


def laid_out(steps: list[Any]) -> list[tuple[Cycle, Quiet]]:
    found, steady, boot = [], OLD, 0
    for after, readings, shift, quiet, reboots in steps:
        if reboots:
            steady, boot = 20.0, boot + 1
        steady += after
        once = {(one.metric, one.target): one for one in readings}
        cycle = Cycle(moment(steady, boot=str(boot), shift=shift), tuple(once.values()), WITHIN)
        found.append((cycle, quiet))
    return found


def plain(states: States) -> dict[str, object]:
    found: dict[str, object] = json.loads(states.to_json())
    return found


@given(cycles())
@settings(max_examples=60)
def test_what_is_told_begins_and_ends_by_turns(line: list[tuple[Cycle, Quiet]]) -> None:
    states, said = States(), defaultdict(list)
    for cycle, quiet in line:
        states, changes = step(RULES, states, cycle, quiet)
        for one in changes:
            said[one.rule, one.target].append(one.kind)
    for kinds in said.values():
        opened = [kind for kind in kinds if kind in ("firing", "flapping", "resolved")]
        assert opened[0] != "resolved"
        assert all((before == "resolved") != (after == "resolved") for before, after in pairwise(opened))
        for before, after in pairwise(kinds):
            if after in ("repeat", "steady"):
                assert before != "resolved"


@given(cycles())
@settings(max_examples=60)
def test_one_that_is_killed_after_every_step_says_the_same(line: list[tuple[Cycle, Quiet]]) -> None:
    whole, broken = States(), States()
    for cycle, quiet in line:
        whole, expected = step(RULES, whole, cycle, quiet)
        broken, changes = step(RULES, from_json(broken.to_json()), cycle, quiet)
        assert changes == expected
        assert plain(broken) == plain(whole)


@given(cycles(), st.randoms())
@settings(max_examples=60)
def test_a_cycle_in_parts_says_the_same_as_the_whole(line: list[tuple[Cycle, Quiet]], random: object) -> None:
    whole, parts = States(), States()
    for cycle, quiet in line:
        whole, expected = step(RULES, whole, cycle, quiet)
        readings, said = list(cycle.readings), list[object]()
        random.shuffle(readings)  # type: ignore[attr-defined]
        for part in [*readings, None]:
            some = Cycle(cycle.moment, (part,) if part else (), cycle.within)
            parts, changes = step(RULES, parts, some, quiet)
            said += changes
        assert sorted(map(str, said)) == sorted(map(str, expected))
        assert {key: str(one) for key, one in parts.alerts.items()} == {
            key: str(one) for key, one in whole.alerts.items()
        }


@given(cycles())
@settings(max_examples=50)
def test_a_step_changes_nothing_that_it_was_given(line: list[tuple[Cycle, Quiet]]) -> None:
    states = States()
    for cycle, quiet in line:
        before = states.to_json()
        first = step(RULES, states, cycle, quiet)
        assert states.to_json() == before
        assert step(RULES, states, cycle, quiet).changes == first.changes
        states = first.states
