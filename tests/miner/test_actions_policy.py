"""What the monitor may do by itself, and when. No time passes here: moments are given."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miner.actions import policy
from miner.actions.policy import Bounds, Policy, PolicyError, Taken
from miner.readings import Moment

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEALING = Bounds(heal=True, alerts=("miner.no_hashrate",), after_s=600, between_s=1800, backoff=2, a_day=3)


@dataclass(frozen=True)
class Alert:
    rule: str = "miner.no_hashrate"
    target: str = ""
    since: datetime = BEGIN
    text: str = "no hashrate"
    muted: bool = False
    silence: str = ""


@dataclass(frozen=True)
class Pool:
    number: int
    status: str
    priority: int
    active: bool = False


def moment(seconds: float, boot: str = "a", at: datetime | None = None) -> Moment:
    return Moment(at or BEGIN + timedelta(seconds=seconds), 10_000 + seconds, boot)


def taken(seconds: float, what: str = "miner", *, healing: bool = True, outcome: str = "done") -> Taken:
    now = moment(seconds)
    return Taken(f"{seconds}", what, now.at, now.steady, now.boot, "monitor", "why", healing, outcome)


def chosen(alert: Alert, now: Moment, *past: Taken, bounds: Bounds = HEALING) -> str | None:
    wish = policy.choose(Policy(miner=bounds), [alert], now, past, lambda stick: None)
    return wish.what if wish else None


def test_nothing_is_done_unless_the_host_says_so() -> None:
    usual = Policy()
    everything = [Alert(rule) for kind in ("miner", "power", "pool") for rule in policy.bounds_of(usual, kind).alerts]
    assert len(everything) >= 4
    assert policy.choose(usual, everything, moment(86_000), [], lambda stick: "1-1.4") is None


def test_an_alert_is_acted_on_once_it_has_stood_long_enough() -> None:
    assert chosen(Alert(), moment(599)) is None
    assert chosen(Alert(), moment(600)) == "miner"
    assert chosen(Alert(rule="host.hot"), moment(900)) is None


def test_what_somebody_muted_is_left_alone_but_the_night_is_not_a_reason() -> None:
    assert chosen(Alert(muted=True, silence="muted"), moment(900)) is None
    assert chosen(Alert(muted=True, silence="maintenance"), moment(900)) is None
    assert chosen(Alert(muted=True, silence="quiet"), moment(900)) == "miner"


def test_while_the_host_starts_nothing_is_done() -> None:
    early = replace(moment(900), steady=599.0, boot="b")
    assert chosen(Alert(), early) is None
    assert chosen(Alert(), replace(early, steady=600.0)) == "miner"


def test_each_further_one_waits_longer_and_the_day_has_an_end() -> None:
    past: list[Taken] = []
    done = []
    for minute in range(0, 24 * 60, 1):
        if chosen(Alert(), moment(600 + 60 * minute), *past):
            done.append(minute)
            past.append(taken(600 + 60 * minute))
    assert done == [0, 30, 90]
    assert chosen(Alert(), moment(600 + 86_399), *past) is None
    assert chosen(Alert(), moment(600 + 86_401), *past) == "miner"


def test_never_two_at_once_even_over_a_restart_of_the_monitor() -> None:
    going_on = taken(-10, "power:1-1.4", outcome="")
    found = policy.refusal(policy.ASKED, "miner", moment(0), [going_on], healing=False)
    assert found and found.reason == "running"
    assert policy.refusal(policy.ASKED, "miner", moment(policy.OPEN_S), [going_on], healing=False) is None


def test_a_clock_that_is_set_neither_frees_nor_blocks() -> None:
    set_on = replace(moment(60), at=BEGIN + timedelta(days=400))
    set_back = replace(moment(1801), at=BEGIN - timedelta(days=400))
    found = policy.refusal(HEALING, "miner", set_on, [taken(0)], healing=True)
    assert found and found.reason == "too soon"
    assert found.wait_s == pytest.approx(1740)
    assert policy.refusal(HEALING, "miner", set_back, [taken(0)], healing=True) is None


def test_after_a_reboot_the_calendar_counts() -> None:
    assert policy.refusal(HEALING, "miner", moment(60, boot="b"), [taken(0)], healing=True)
    assert policy.refusal(HEALING, "miner", moment(1800, boot="b"), [taken(0)], healing=True) is None


def test_what_people_ask_for_is_not_held_up_by_what_the_monitor_did() -> None:
    past = [taken(hour * 3600) for hour in range(3)]
    assert policy.refusal(HEALING, "miner", moment(20_000), past, healing=True)
    assert policy.refusal(policy.ASKED, "miner", moment(20_000), past, healing=False) is None
    twice = policy.refusal(policy.ASKED, "miner", moment(5), [taken(0, healing=False)], healing=False)
    assert twice and (twice.reason, twice.wait_s) == ("too soon", 55)


def test_a_stick_is_cycled_at_the_port_it_was_last_seen_at() -> None:
    power = Policy(power=Bounds(heal=True, alerts=("stick.missing",), after_s=0))
    gone = Alert("stick.missing", "GSF-10001")
    wish = policy.choose(power, [gone], moment(1), [], {"GSF-10001": "1-1.4"}.get)
    assert wish and (wish.what, wish.why) == ("power:1-1.4", "no hashrate")
    assert policy.choose(power, [gone], moment(1), [], lambda stick: None) is None


def test_the_next_pool_is_the_next_one_alive() -> None:
    pools = [Pool(2, "Alive", 0, True), Pool(0, "Dead", 1), Pool(1, "Alive", 2)]
    assert policy.next_pool(pools) == 1
    assert policy.next_pool([replace(pools[0], active=False), *pools[1:2], replace(pools[2], active=True)]) == 2
    assert policy.next_pool(pools[:2]) is None
    assert policy.next_pool([]) is None


@given(
    steps=st.lists(st.floats(1, 20_000), max_size=60),
    a_day=st.integers(1, 5),
    between=st.floats(60, 7200),
    backoff=st.floats(1, 4),
)
@settings(max_examples=150, deadline=None)
def test_no_history_makes_it_do_more_than_its_bounds(
    steps: list[float], a_day: int, between: float, backoff: float
) -> None:
    bounds = replace(HEALING, after_s=0, a_day=a_day, between_s=between, backoff=backoff)
    past: list[Taken] = []
    now = 0.0
    for step in steps:
        now += step
        if chosen(Alert(), moment(now), *past, bounds=bounds):
            past.append(taken(now))
    times = [one.steady for one in past]
    assert all(later - sooner >= between - 1e-6 for sooner, later in pairwise(times))
    assert all(sum(time <= other < time + policy.DAY for other in times) <= a_day for time in times)


def test_the_policy_is_laid_over_the_defaults() -> None:
    found = policy.load('{"boot_grace_s": 60, "miner": {"heal": true, "a_day": 2}, "power": {"alerts": ["x"]}}')
    assert (found.boot_grace_s, found.miner.heal, found.miner.a_day) == (60, True, 2)
    assert found.miner.between_s == Policy().miner.between_s
    assert found.power.alerts == ("x",)
    assert policy.load("") == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "the policy: expected an object"),
        ('{"mner": {}}', "mner is not known; expected boot_grace_s, miner, pool, power"),
        ('{"miner": {"hael": true}}', "miner.hael is not known"),
        ('{"miner": {"heal": "yes"}}', "miner.heal: expected true or false"),
        ('{"miner": {"a_day": -1}}', "miner.a_day: expected a number of at least 0"),
        ('{"miner": {"backoff": 0.5}}', "miner.backoff: expected a number of at least 1"),
        ('{"miner": {"after_s": NaN}}', "miner.after_s: expected a number"),
        ('{"pool": {"alerts": "x"}}', "pool.alerts: expected a list"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as failed:
        policy.load(text)
    assert said in str(failed.value)


def test_what_the_inventory_says_is_what_the_service_reads() -> None:
    from roles.monitor.actions import ActionsConfig, policy_file

    config = ActionsConfig.model_validate(
        {"miner": {"heal": True, "alerts": ["miner.no_hashrate"], "a_day": 1}, "boot_grace_s": 300}
    )
    found = policy.load(policy_file(config).content or "")
    assert (found.boot_grace_s, found.miner.heal, found.miner.alerts) == (300, True, ("miner.no_hashrate",))
    assert found.power == Policy().power
    assert json.loads(policy_file(ActionsConfig.model_validate({})).content or "")["miner"] == {"heal": False}
