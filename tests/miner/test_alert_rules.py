"""Rules as people write them: what is laid over the defaults, and what is said of mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from miner.alerts import rules
from miner.alerts.rules import DEFAULTS, RulesError, load
from miner.alerts.windows import covers
from miner.alerts.words import RULES, TONGUES, length
from miner.readings import METRICS
from tests.miner.alert_kit import START

ROOT = Path(__file__).parents[2]


def loaded(**given: Any) -> rules.Rules:
    return load(json.dumps({name.replace("__", "."): one for name, one in given.items()}))


def test_nothing_written_is_the_defaults_and_each_stands_on_a_metric() -> None:
    assert load("{}").rules == DEFAULTS.rules
    for rule in DEFAULTS.rules.values():
        assert rule.metric in METRICS
        assert rule.quiet is (rule.severity != "critical")
        assert rule.clear == rule.threshold or (rule.clear < rule.threshold) is rule.rises
    known = set(DEFAULTS.rules)
    named = {one.partition("@")[0] for rule in DEFAULTS.rules.values() for one in rule.inhibited_by}
    assert {name for name in named if "*" not in name} <= known


def test_every_metric_that_can_be_bad_has_a_rule() -> None:
    without = set(METRICS) - {rule.metric for rule in DEFAULTS.rules.values()}
    assert without == {"miner.uptime_s", "node.height", "node.restarts"}


def test_every_default_is_worded_in_both_languages() -> None:
    assert set(RULES) == set(DEFAULTS.rules)
    assert TONGUES["fr"].keys() == TONGUES["en"].keys()


def test_fields_are_laid_over_a_default() -> None:
    found = loaded(stick__slow={"threshold": 0.5, "for": "20m", "severity": "critical", "targets": "GSF-*"})
    rule = found.rules["stick.slow"]
    assert (rule.threshold, round(rule.clear, 6), rule.for_s) == (0.5, 0.6, 1200)
    assert (rule.severity, rule.quiet, rule.targets) == ("critical", False, ("GSF-*",))
    assert rule.clear_for_s == DEFAULTS.rules["stick.slow"].clear_for_s
    assert "host.busy" not in loaded(host__busy=None).rules


def test_a_rule_of_ones_own_needs_a_metric_and_a_threshold() -> None:
    own = {"metric": "disk.free_ratio", "below": 0.2, "targets": ["/data"], "repeat": "1d"}
    rule = loaded(data=own).rules["data"]
    assert (rule.compare, rule.threshold, rule.clear, rule.repeat_s) == ("<", 0.2, 0.2, 86_400)
    assert rule.concerns("/data")
    assert not rule.concerns("/")


def test_all_mistakes_are_said_at_once_each_with_its_place_and_the_nearest_name() -> None:
    with pytest.raises(RulesError) as caught:
        loaded(
            stick__hott={"above": 3},
            stick__slow={"treshold": 1, "for": "soon", "clear": 0.1, "severity": "critcal"},
            mine={"metric": "disk.fre_ratio", "below": 3},
            disk__low={"inhibited_by": ["disk.ful"], "after": {"stick.ghs": "1m"}},
            host__bsy=None,
            quiet_hours={"form": "22:00"},
            maintenance=[{"from": "2026-12-01T10:00:00Z", "to": "2026-12-01T09:00:00Z"}],
            flapping={"times": 1},
            daily="8 o'clock",
        )
    said = str(caught.value).split("\n")
    for place, words in (
        ("stick.hott", "did you mean 'stick.hot'"),
        ("stick.slow: treshold", "did you mean 'threshold'"),
        ("stick.slow: for", "30s, 5m, 2h or 1d"),
        ("stick.slow: clear", "must lie above the threshold, 0.7"),
        ("stick.slow: severity", "did you mean 'critical'"),
        ("mine: metric", "did you mean 'disk.free_ratio'"),
        ("disk.low: inhibited_by", "did you mean 'disk.full'"),
        ("disk.low: after", "'stick.ghs'"),
        ("host.bsy", "did you mean 'host.busy'"),
        ("quiet_hours: form", "did you mean 'from'"),
        ("maintenance: to", "must come after"),
        ("flapping: times", "from 2 to 1000"),
        ("daily", "22:30"),
    ):
        assert any(line.startswith(place) and words in line for line in said), (place, said)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(RulesError, match="rules"):
        load(text)


def test_windows_go_over_midnight_and_know_their_days() -> None:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Paris")
    found = loaded(
        quiet_hours={"from": "22:00", "to": "07:00", "days": ["thu"]},
        maintenance={"from": "2026-11-26T12:00:00Z", "to": "2026-11-26T13:00:00Z", "scope": "unit.*"},
    )
    (night,), (work,) = found.quiet_hours, found.maintenance
    noon = START  # Thursday, 13:00 in Paris
    hours = {hour: night.holds(noon + timedelta(hours=hour), zone) for hour in (0, 8, 9, 17, 18, 33, 42)}
    assert hours == {0: False, 8: False, 9: True, 17: True, 18: False, 33: False, 42: False}
    assert work.holds(noon, zone)
    assert not work.holds(noon + timedelta(hours=1), zone)


@pytest.mark.parametrize(
    ("scope", "rule", "target", "covered"),
    [
        ("*", "stick.slow", "A", True),
        ("stick.*", "stick.slow", "A", True),
        ("A", "stick.slow", "A", True),
        ("stick.slow@A", "stick.slow", "A", True),
        ("stick.slow@B", "stick.slow", "A", False),
        ("hub.*", "stick.slow", "A", False),
    ],
)
def test_a_scope_is_a_rule_a_target_or_both(scope: str, rule: str, target: str, covered: bool) -> None:
    assert covers(scope, rule, target) is covered


def test_durations_are_told_in_the_units_that_matter() -> None:
    shown = [length(seconds) for seconds in (0.34, 3, 59, 61, 3600, 7500, 200_000)]
    assert shown == ["0.3 s", "3 s", "59 s", "1 min 1 s", "1 h", "2 h 5 min", "2 d 7 h"]


def seconds(value: float) -> str:
    for size, mark in ((86_400, "d"), (3600, "h"), (60, "m")):
        if value and value % size == 0:
            return f"{value / size:g}{mark}"
    return f"{value:g}s" if value else ""


def test_the_page_has_every_default_as_it_is() -> None:
    """Prints the rows that docs/alerts.md should have."""
    rows = []
    for rule in DEFAULTS.rules.values():
        when = f"`{rule.metric}` {rule.compare} {rule.threshold:g}"
        clear = f"{rule.clear:g}" if rule.clear != rule.threshold else ""
        times = [seconds(one) for one in (rule.for_s, rule.clear_for_s, rule.repeat_s)]
        grace = [seconds(rule.grace_s)] if rule.grace_s else []
        grace += [f"{seconds(one)} of `{metric}`" for metric, one in rule.after]
        by = " ".join(f"`{one}`" for one in rule.inhibited_by)
        cells = [f"`{rule.name}`", when, clear, *times, rule.severity, ", ".join(grace), by]
        rows.append("| " + " | ".join(cells) + " |")
    page = (ROOT / "docs/alerts.md").read_text()
    found = re.findall(r"^\| `[a-z]+\.[a-z_]+` \| `.*$", page, re.M)
    assert [re.sub(" +", " ", row) for row in found] == [re.sub(" +", " ", row) for row in rows]
