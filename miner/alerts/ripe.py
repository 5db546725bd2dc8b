"""When a look would end what recovers. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from miner.alerts.rule import Rules
from miner.alerts.states import States


def ripe(rules: Rules, states: States, kinds: tuple[str, ...]) -> float:
    """On the steady clock: the first moment at which an alert ends if it is read and still well then. Only of metrics
    that begin with one of `kinds`; infinity: none of them recovers.
    """
    return min(_ends(rules, states, kinds), default=math.inf)


def _ends(rules: Rules, states: States, kinds: tuple[str, ...]) -> Iterator[float]:
    for alert in states.alerts.values():
        rule = rules.rules.get(alert.rule) if alert.phase == "recovering" else None
        if rule is not None and rule.metric.startswith(kinds):
            yield alert.since + rule.clear_for_s
