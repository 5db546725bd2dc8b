"""What people would be told, and what not, as readings come in."""

from __future__ import annotations

import pytest

from miner.alerts import rules
from miner.alerts.quiet import NOTHING, Quiet
from miner.readings import Reading
from tests.miner.alert_kit import OLD, Line, reading, said, silenced

WITHIN = {"A": "1-1", "B": "1-1", "perf": "perf.service"}


def stick(value: float | None, name: str = "A") -> Reading:
    return reading("stick.present", value, name)


def ratio(value: float | None, name: str = "A") -> Reading:
    return reading("stick.hashrate_ratio", value, name)


def hub(value: float) -> Reading:
    return reading("hub.present", value, "1-1")


def test_an_unplugged_stick_is_told_within_half_a_second_and_its_end_within_a_cycle() -> None:
    line = Line()
    line.read(stick(1))
    line.read(stick(0))
    (change,) = line.changes
    assert (change.kind, change.seconds < 0.6) == ("firing", True)
    line.hold(60, stick(0))
    line.hold(10, stick(1))
    assert line.told == ["firing stick.missing A", "resolved stick.missing A"]
    assert 55 <= line.changes[-1].seconds <= 66


def test_a_condition_must_hold_for_so_long_and_be_beyond_clear_for_so_long() -> None:
    line = Line()
    line.hold(590, ratio(0.6))
    line.read(ratio(0.75))  # not bad any more: it starts anew
    line.hold(590, ratio(0.6))
    assert line.told == []
    line.hold(20, ratio(0.6))
    line.hold(900, ratio(0.75))  # neither bad nor well
    assert line.told == ["firing stick.slow A"]
    line.hold(290, ratio(0.9))
    line.read(ratio(0.75))
    line.hold(290, ratio(0.9))
    assert line.told == ["firing stick.slow A"]
    line.hold(30, ratio(0.9))
    assert line.told == ["firing stick.slow A", "resolved stick.slow A"]


def test_what_is_unknown_or_absent_neither_fires_nor_ends_anything() -> None:
    line = Line()
    line.hold(300, ratio(0.6))
    line.hold(1200, ratio(None))
    line.hold(1200)
    assert line.told == []
    line.hold(320, ratio(0.6))
    assert line.told == ["firing stick.slow A"]
    line.hold(600, ratio(None))
    assert line.told == ["firing stick.slow A"]
    line.hold(600, ratio(float("nan")))
    assert line.told == ["firing stick.slow A"]


def test_a_hub_that_is_gone_explains_its_sticks_whichever_is_read_first() -> None:
    for order in ((hub(0), stick(0), stick(0, "B")), (stick(0), stick(0, "B"), hub(0))):
        line = Line(within=WITHIN)
        line.read(hub(1), stick(1), stick(1, "B"))
        for one in order:
            line.notice(one)
        line.hold(600, *order)
        assert line.told == ["firing hub.missing 1-1"]
        line.read(hub(1), stick(0), stick(0, "B"))
        line.hold(20, hub(1), stick(1), stick(0, "B"))
        line.hold(60, hub(1), stick(1), stick(0, "B"))
        # One of them did not come back with it.
        assert line.told == ["firing hub.missing 1-1", "resolved hub.missing 1-1", "firing stick.missing B"]


def test_no_pool_explains_that_the_api_is_down_and_that_nothing_is_hashed() -> None:
    line = Line()
    nothing = (reading("stick.ghs", 0, "A"), reading("miner.ghs", 0), ratio(0))
    line.hold(20, reading("miner.pools_alive", 0), *nothing)
    line.hold(1200, reading("miner.pools_alive", 0), reading("miner.api", 0), *nothing)
    assert line.told == ["firing miner.no_pool"]


def test_sticks_that_are_all_silent_are_one_alert_and_those_that_are_all_unplugged_have_no_other() -> None:
    silent = [reading("stick.ghs", 0, name) for name in "AB"] + [reading("miner.ghs", 0)]
    line = Line()
    line.hold(60, stick(1), stick(1, "B"))
    line.hold(1200, stick(1), stick(1, "B"), *silent)
    assert line.told == ["firing miner.no_hashrate"]
    line = Line()
    line.hold(1200, stick(0), stick(0, "B"), *silent)
    assert sorted(line.told) == ["firing stick.missing A", "firing stick.missing B"]
    line = Line()
    line.hold(60, stick(1), stick(1, "B"))
    line.hold(1200, stick(0), stick(1, "B"), *silent)
    assert line.told == ["firing stick.missing A", "firing miner.no_hashrate"]


def test_a_hung_api_is_told_within_fifteen_seconds() -> None:
    line = Line()
    line.hold(60, reading("miner.api", 1))
    begun = line.now
    line.hold(10, reading("miner.api", 0))
    assert line.told == ["firing miner.api_down"]
    assert line.now - begun < 11


def test_a_unit_that_is_down_explains_its_service() -> None:
    line = Line(within=WITHIN)
    line.hold(300, reading("unit.active", 0, "perf.service"), reading("service.ready", 0, "perf"))
    assert line.told == ["firing unit.down perf.service"]


def test_what_had_a_cause_gets_its_own_time_once_that_is_over() -> None:
    """A hashrate over five minutes comes back five minutes after the pool."""
    line = Line()
    line.hold(1200, reading("miner.pools_alive", 0), ratio(0))
    line.hold(540, reading("miner.pools_alive", 2), ratio(0.5))
    line.hold(400, reading("miner.pools_alive", 2), ratio(1))
    assert line.told == ["firing miner.no_pool", "resolved miner.no_pool"]


def test_one_that_comes_and_goes_is_told_as_flapping_once_and_once_when_it_is_stable() -> None:
    line = Line()
    for _ in range(20):
        line.hold(10, stick(0))
        line.hold(10, stick(1))
    assert line.told == ["firing stick.missing A", "resolved stick.missing A"] * 2 + ["flapping stick.missing A"]
    line.hold(400, stick(1))
    assert line.told[5:] == ["resolved stick.missing A"]
    assert line.changes[-1].count == 20


def test_one_that_flapped_and_stays_bad_is_told_to_stay_so() -> None:
    line = Line()
    for _ in range(4):
        line.hold(10, stick(1))
        line.hold(10, stick(0))
    line.hold(400, stick(0))
    line.hold(10, stick(1))
    assert line.told[-3:] == ["flapping stick.missing A", "steady stick.missing A", "resolved stick.missing A"]


def test_what_lasts_is_repeated_but_not_what_is_muted() -> None:
    line = Line(rules.load('{"stick.missing": {"repeat": "1h"}}'))
    line.hold(3 * 3600 - 60, stick(0))
    assert line.told == ["firing stick.missing A", "repeat stick.missing A", "repeat stick.missing A"]
    line.quiet = silenced("A")
    line.hold(3 * 3600, stick(0))
    assert len(line.changes) == 3
    line.quiet = NOTHING
    line.read(stick(0))
    assert line.told[3:] == ["repeat stick.missing A"]


@pytest.mark.parametrize(
    "quiet", [silenced("*"), silenced("stick.missing"), Quiet(maintenance=("A",)), silenced(hours=True)]
)
def test_what_is_silenced_is_told_afterwards_if_it_is_still_so(quiet: Quiet) -> None:
    line = Line()
    line.quiet = quiet
    line.hold(60, stick(0), stick(0, "B"))
    line.hold(60, stick(0), stick(1, "B"))
    assert [one for one in line.told if one.endswith(" A")] == []
    line.quiet = NOTHING
    line.hold(10, stick(0), stick(1, "B"))
    assert [one for one in line.told if one.endswith(" A")] == ["firing stick.missing A"]
    line.quiet = quiet
    line.hold(60, stick(1), stick(1, "B"))
    assert line.told[-1] == "firing stick.missing A"  # its end waits as well
    line.quiet = NOTHING
    line.hold(10, stick(1), stick(1, "B"))
    assert line.told[-1] == "resolved stick.missing A"
    assert 55 <= line.changes[-1].seconds <= 140


def test_critical_alerts_are_told_in_quiet_hours() -> None:
    line = Line()
    line.quiet = silenced(hours=True)
    line.hold(60, hub(0), stick(0, "Z"))
    assert line.told == ["firing hub.missing 1-1"]


def test_a_machine_that_has_just_started_has_time_to_start_its_services() -> None:
    line = Line(start=20.0)
    down = reading("unit.active", 0, "perf.service")
    line.hold(60, down)
    line.hold(60, reading("unit.active", 1, "perf.service"))
    assert line.told == []
    line.hold(60, down)
    assert said(line.changes) == ["firing unit.down perf.service"]


def test_a_stick_that_is_new_and_a_miner_that_has_just_started_have_time_to_run_in() -> None:
    line = Line()
    line.hold(60, reading("miner.uptime_s", 50_000), stick(1, "B"))
    line.hold(590, stick(1), ratio(0.1))
    line.hold(600, stick(1), ratio(0.9))
    for age in range(0, 590, 5):
        line.read(reading("miner.uptime_s", age), ratio(0.1))
    line.hold(600, ratio(0.9))
    assert line.told == []


def test_a_turned_clock_neither_fires_nor_hides_nor_lengthens_anything() -> None:
    line = Line()
    line.hold(300, ratio(0.5))
    line.shift = 40 * 86_400.0
    line.hold(200, ratio(0.5))
    assert line.told == []
    line.shift = -3600.0
    line.hold(150, ratio(0.5))
    assert line.told == ["firing stick.slow A"]
    line.shift = 7200.0
    line.hold(400, ratio(1))
    assert line.told == ["firing stick.slow A", "resolved stick.slow A"]
    assert line.changes[-1].seconds < 100


def test_what_fires_over_a_reboot_goes_on_and_ends_with_its_whole_duration() -> None:
    line = Line()
    line.hold(600, stick(0), ratio(0.5, "B"))
    line.boot, line.now, line.shift = "two", 30.0, line.now - 30.0 + 120.0
    line.hold(1800, stick(0), ratio(1.0, "B"))
    assert line.told == ["firing stick.missing A"]
    line.hold(10, stick(1), ratio(1.0, "B"))
    assert line.told == ["firing stick.missing A", "resolved stick.missing A"]
    assert 600 + 120 + 1790 <= line.changes[-1].seconds <= 600 + 120 + 1810


def test_a_target_that_is_not_watched_any_more_ends_its_alert_and_says_so() -> None:
    line = Line()
    line.hold(60, stick(0))
    line.hold(4000, stick(1, "B"))
    assert line.told == ["firing stick.missing A", "resolved stick.missing A"]
    assert line.changes[-1].why == "gone"


def test_a_monitor_that_was_away_does_not_take_its_targets_for_gone() -> None:
    line = Line()
    line.hold(60, stick(0))
    line.now += 20_000
    line.read(reading("host.cpu_ratio", 0.1))
    line.hold(600, stick(0))
    assert line.told == ["firing stick.missing A"]


def test_a_rule_that_is_taken_away_ends_its_alerts() -> None:
    line = Line()
    line.hold(60, stick(0), stick(0, "B"))
    line.rules = rules.load('{"stick.missing": {"targets": ["B"]}}')
    line.hold(20, stick(0), stick(0, "B"))
    line.rules = rules.load('{"stick.missing": null}')
    line.hold(20, stick(0), stick(0, "B"))
    assert line.told[2:] == ["resolved stick.missing A", "resolved stick.missing B"]
    assert {one.why for one in line.changes[2:]} == {"off"}


def test_a_thousand_sticks_that_fall_at_once_are_judged_as_one_cycle() -> None:
    names = [f"S{number}" for number in range(1000)]
    line = Line(within=dict.fromkeys(names, "1-1"), start=OLD)
    line.read(*(stick(1, name) for name in names))
    line.read(*(stick(0, name) for name in names))
    assert len(line.changes) == 1000
    line.hold(10, *(stick(1, name) for name in names))
    assert len(line.changes) == 2000
