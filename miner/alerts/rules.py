"""Rules as people write them: JSON, laid over the defaults, every mistake told at once with its place.

{"stick.slow": {"threshold": 0.6, "for": "20m"},        a default, changed
 "host.busy": null,                                     a default, switched off
 "disk.data": {"metric": "disk.free_ratio", "below": 0.2, "targets": "/data"},
 "quiet_hours": {"from": "22:00", "to": "07:00"},
 "maintenance": [{"from": "03:00", "to": "03:30", "days": "sun", "scope": "unit.*"}],
 "flapping": {"times": 3, "within": "10m", "stable": "5m"},
 "daily": "08:00"}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

from miner.alerts import fields
from miner.alerts.defaults import DEFAULT_RULES
from miner.alerts.fields import OwnField, Problems
from miner.alerts.rule import Flapping, Rule, Rules
from miner.alerts.windows import Window
from miner.readings import METRICS

__all__ = ["DEFAULTS", "Rule", "Rules", "RulesError", "load"]

T = TypeVar("T")

DEFAULTS = Rules({rule.name: rule for rule in DEFAULT_RULES})

_OWN = ("quiet_hours", "maintenance", "flapping", "daily")


class RulesError(Exception):
    """The rules cannot be used; the message has one line for each mistake: the rule, the field, what was expected."""


def load(text: str) -> Rules:
    """The defaults with what `text` changes in them. Raises RulesError."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise RulesError(f"the rules are not JSON: {error}") from None
    if not isinstance(given, dict):
        raise RulesError('the rules: expected an object such as {"stick.slow": {"threshold": 0.6}}')
    problems = Problems()
    rules = _rules({name: one for name, one in given.items() if name not in _OWN}, problems)
    found = Rules(rules, **_frame(given, problems))
    _check_inhibitors(given, found, problems)
    if problems.lines:
        raise RulesError("\n".join(problems.lines))
    return found


def _rules(given: Mapping[str, Any], problems: Problems) -> dict[str, Rule]:
    rules = dict(DEFAULTS.rules)
    for name, one in given.items():
        if one is None:
            if rules.pop(name, None) is None:
                problems.add(name, "", f"there is no such rule to switch off{nearest(name, DEFAULTS.rules)}")
        elif not isinstance(one, dict):
            problems.add(name, "", "expected an object of fields, or null to switch it off")
        elif name in rules or "metric" in one:
            rules[name] = _laid_over(rules.get(name), name, one, problems)
        else:
            hint = nearest(name, [*DEFAULTS.rules, *_OWN])
            problems.add(name, "", f"no such rule{hint}; a rule of your own needs a `metric`")
    return rules


def _laid_over(base: Rule | None, name: str, given: Mapping[str, Any], problems: Problems) -> Rule:
    """`base` with the fields that are given; a field that cannot be used is noted, and leaves it as it was."""
    changes: dict[str, Any] = {}
    for field, value in given.items():
        convert = fields.RULE.get(field)
        if convert is None:
            problems.add(name, field, f"no such field{nearest(field, fields.RULE)}")
            continue
        try:
            changes |= convert(value)
        except ValueError as error:
            problems.add(name, field, str(error))
    own = base or Rule(name, changes.get("metric", ""), "<", 0.0, 0.0)
    if base is None and "threshold" not in changes:
        problems.add(name, "", "needs a threshold: `below` or `above` and a number")
    return _checked(_completed(replace(own, **changes), own, changes), problems)


def _completed(rule: Rule, base: Rule, changes: Mapping[str, Any]) -> Rule:
    """A threshold that is moved takes its `clear` along, at the same distance, if nobody says where that goes."""
    if "clear" not in changes and ("threshold" in changes or "compare" in changes):
        same = rule.rises == base.rises
        rule = replace(rule, clear=rule.threshold + (base.clear - base.threshold if same else 0.0))
    if "severity" in changes and "quiet" not in changes:
        rule = replace(rule, quiet=rule.severity != "critical")
    return rule


def _checked(rule: Rule, problems: Problems) -> Rule:
    if rule.metric not in METRICS:
        problems.add(rule.name, "metric", f"no such metric {rule.metric!r}{nearest(rule.metric, METRICS)}")
    if rule.clear != rule.threshold and (rule.clear > rule.threshold) is rule.rises:
        side = "below" if rule.rises else "above"
        problems.add(rule.name, "clear", f"{rule.clear:g} must lie {side} the threshold, {rule.threshold:g}")
    for metric, _ in rule.after:
        if metric not in METRICS or METRICS[metric].unit not in ("bool", "seconds"):
            known = [name for name, one in METRICS.items() if one.unit in ("bool", "seconds")]
            problems.add(
                rule.name, "after", f"no metric of yes or no, or of seconds: {metric!r}{nearest(metric, known)}"
            )
    return rule


def _check_inhibitors(given: Mapping[str, Any], found: Rules, problems: Problems) -> None:
    """Of those that somebody wrote: a default that is switched off may still be named by the others."""
    known = {*found.rules, *DEFAULTS.rules}
    for name, rule in found.rules.items():
        for one in rule.inhibited_by if name in given else ():
            other = one.partition("@")[0]
            if "*" not in other and other not in known:
                problems.add(name, "inhibited_by", f"no such rule {other!r}{nearest(other, known)}")


def _frame(given: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """What is not a rule."""
    found: dict[str, Any] = {}
    for name, convert in _FRAME.items():
        if name in given:
            try:
                found[name] = convert(given[name])
            except OwnField as error:
                problems.add(name, error.field, str(error))
            except ValueError as error:
                problems.add(name, "", str(error))
    return found


def _windows(value: Any) -> tuple[Window, ...]:
    return tuple(fields.window(one) for one in (value if isinstance(value, list) else [value] if value else []))


_FRAME: Mapping[str, Callable[[Any], Any]] = {
    "quiet_hours": _windows,
    "maintenance": _windows,
    "flapping": lambda value: Flapping(**fields.flapping(value)),
    "daily": fields.daily,
}


def nearest(name: str, known: Any) -> str:
    """`; did you mean ...?`, or nothing."""
    found = get_close_matches(str(name), list(known), 1, 0.5)
    return f"; did you mean {found[0]!r}?" if found else f"; there are {', '.join(list(known)[:12])}" if known else ""
