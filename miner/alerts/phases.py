"""How one alert goes from phase to phase with its readings. Pure; who is told, and when, is the engine's business."""

from __future__ import annotations

from dataclasses import dataclass, replace

from miner.alerts.rule import Rule
from miner.alerts.states import Alert
from miner.readings import Moment
from runtime import clock

BEAT = 60.0
"""`seen` and `beat` are kept to the minute: states that change each cycle would have to be stored each cycle."""
AWAY = 3600.0
"""Seconds without a reading after which a pending alert starts anew. Some things are read every 20 minutes."""
KEPT = 100
"""So many firings are remembered of an alert."""


@dataclass(frozen=True, slots=True)
class Phases:
    """One rule at one moment. What fired longer than `within` seconds ago does not count as flapping."""

    rule: Rule
    moment: Moment
    within: float

    def after(self, alert: Alert | None, target: str, value: float | None, note: str) -> Alert | None:
        """What a reading makes of an alert. The very same object when it changes nothing."""
        if alert is None:
            return self._pending(None, target, value, note) if value is not None and self.rule.is_bad(value) else None
        if alert.phase == "ok":
            return alert if value is None else self._well(alert, value, note)
        alert = self._seen(alert, is_known=value is not None)
        if value is None:
            return alert
        if alert.phase == "over":
            return self._well(alert, value, note)
        if alert.phase == "pending":
            return self._still_pending(alert, value, note)
        return self._fired(alert, value)

    def _seen(self, alert: Alert, *, is_known: bool) -> Alert:
        """A reading of None stops the clock of the phase; the next one lets it go on."""
        now = self.moment.steady
        if alert.phase == "pending" and now - alert.seen > AWAY:
            alert = replace(alert, since=now, seen=now, frozen=None)
        if now - alert.seen >= BEAT:
            alert = replace(alert, seen=now)
        if not is_known and alert.frozen is None:
            return replace(alert, frozen=now)
        if is_known and alert.frozen is not None:
            stopped = now - alert.frozen if alert.phase in ("pending", "recovering") else 0.0
            return replace(alert, frozen=None, since=alert.since + stopped)
        return alert

    def _well(self, alert: Alert, value: float, note: str) -> Alert:
        """It rests, or people wait to hear of its end."""
        if not self.rule.is_bad(value):
            return alert
        if alert.phase == "over":
            return self._fire(alert)
        return self._pending(alert, alert.target, value, note)

    def _pending(self, rests: Alert | None, target: str, value: float, note: str) -> Alert:
        now = self.moment.steady
        fires = rests.fires if rests else ()
        made = Alert(self.rule.name, target, self.rule.severity, "pending", now, now, value, note, fires=fires)
        return self._fire(made) if self.rule.for_s <= 0 else made

    def _still_pending(self, alert: Alert, value: float, note: str) -> Alert | None:
        now = self.moment.steady
        if not self.rule.is_bad(value):
            return replace(alert, phase="ok", since=now) if alert.fires else None
        return self._fire(replace(alert, value=value, note=note)) if now - alert.since >= self.rule.for_s else alert

    def _fired(self, alert: Alert, value: float) -> Alert | None:
        now, is_well = self.moment.steady, self.rule.is_well(value)
        if alert.phase == "firing":
            if not is_well:
                return alert
            alert = replace(alert, phase="recovering", since=now)
        elif not is_well:
            return replace(alert, phase="firing", since=now)
        return replace(alert, phase="over", why="well") if now - alert.since >= self.rule.clear_for_s else alert

    def _fire(self, alert: Alert) -> Alert:
        now = self.moment.steady
        fires = (*(at for at in alert.fires if now - at <= self.within), now)[-KEPT:]
        if alert.told:  # it came back before people heard of its end: for them it is the same one
            return replace(alert, phase="firing", since=now, count=alert.count + 1, fires=fires)
        alert = replace(alert, phase="firing", since=now, fires=fires)
        return replace(alert, fired=now, fired_at=clock.iso(self.moment.at), boot=self.moment.boot)
