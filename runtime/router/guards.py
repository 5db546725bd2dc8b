"""May this open, and with how much risk? Pure: rules and facts in, a verdict with its reasons out.

Guards hold back openings only. What closes, marks or records a trade is never asked about here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from runtime.engines import is_test
from runtime.fixed import fixed
from runtime.payload import Json
from runtime.router.guards_rules import ACCOUNT, Guards, Mode, Rules
from runtime.router.guards_standing import Standing

Effect = Literal["refuse", "halve"]

HALF = 0.5
_CLOSE_TO = 1e-9  # sums of R are not exact: three trades of -1/3 R are a day of -1 R


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing opens in a scope. `until` None: until somebody resumes."""

    since: datetime
    until: datetime | None
    reason: str = ""
    by: str = ""

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Somebody ticked off an item at `ts`; it is worth nothing from `until` on."""

    ts: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a verdict depends on. `symbol` and `risk_usd` None: not asked about one alert, but in general.

    `standings` and `open_trades` are by scope, `pauses` too, `confirmed` by scope and item.
    """

    now: datetime
    engine: str
    symbol: str | None = None
    risk_usd: float | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)
    open_trades: Mapping[str, int] = field(default_factory=dict)
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    confirmed: Mapping[tuple[str, str], Confirmation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One guard that spoke up; `text` says with which numbers."""

    guard: str
    scope: str
    mode: Mode
    text: str
    effect: Effect = "refuse"

    @property
    def refuses(self) -> bool:
        return self.mode == "enforce" and self.effect == "refuse"

    def shown(self) -> Json:
        return {name: getattr(self, name) for name in ("guard", "scope", "mode", "effect", "text")}


@fixed
class Verdict:
    findings: tuple[Finding, ...] = ()

    @property
    def refuses(self) -> bool:
        return any(finding.refuses for finding in self.findings)

    @property
    def factor(self) -> float:
        """What the wanted risk is multiplied with. Two scopes that both ask for half get half, not a quarter."""
        return HALF if any(one.effect == "halve" and one.mode == "enforce" for one in self.findings) else 1.0

    @property
    def why(self) -> str:
        """The reasons for refusing, in words."""
        return "; ".join(f"{one.guard}: {one.text}" for one in self.findings if one.refuses)

    def shown(self) -> list[Json]:
        return [finding.shown() for finding in self.findings]


def judge(guards: Guards, facts: Facts) -> Verdict:
    """What the guards say to an opening by `facts.engine`. Test engines are not guarded: they never open."""
    if is_test(facts.engine):
        return Verdict()
    found = list(_paused(facts))
    for scope, rules in guards.of(facts.engine):
        day = rules.calendar.day(facts.now)
        standing = facts.standings.get(scope, Standing()).on(day)
        for guard, text in _spoken(rules, facts, standing, scope):
            effect: Effect = "halve" if guard == "losing_streak" else "refuse"
            found.append(Finding(guard, scope, rules.mode_of(guard), text, effect))
    return Verdict(tuple(found))


def _paused(facts: Facts) -> Iterator[Finding]:
    for scope in (ACCOUNT, facts.engine):
        pause = facts.pauses.get(scope)
        if pause is not None and pause.holds(facts.now):
            until = f" until {pause.until:%Y-%m-%d %H:%M} UTC" if pause.until else ""
            because = f": {pause.reason}" if pause.reason else ""
            who = "everything" if scope == ACCOUNT else scope
            text = f"{who} is paused since {pause.since:%Y-%m-%d %H:%M} UTC{until}{because}"
            yield Finding("pause", scope, "enforce", text)


def _spoken(rules: Rules, facts: Facts, standing: Standing, scope: str) -> Iterator[tuple[str, str]]:
    """Each guard of a scope that has something to say."""
    yield from _counted(rules, standing, facts.open_trades.get(scope, 0))
    yield from _day(rules, standing)
    yield from _results(rules, standing)
    yield from _times(rules, facts.now)
    yield from _alert(rules, facts)
    yield from _checklist(rules, facts)


def _counted(rules: Rules, standing: Standing, open_now: int) -> Iterator[tuple[str, str]]:
    most = rules.max_trades_day
    if most is not None and standing.trades >= most:
        yield "max_trades_day", f"{standing.trades} of {most} trades today"
    most = rules.open_trades_max
    if most is not None and open_now >= most:
        yield "open_trades_max", f"{open_now} of {most} trades open"


def _day(rules: Rules, standing: Standing) -> Iterator[tuple[str, str]]:
    start = rules.equity if rules.day_pct_of == "initial" else rules.equity + standing.total - standing.usd
    pct = 100 * standing.usd / start if start > 0 else -100.0
    for unit, name, value in (("r", "R", standing.r), ("usd", "USD", standing.usd), ("pct", "%", pct)):
        loss: float | None = getattr(rules, f"day_stop_loss_{unit}")
        gain: float | None = getattr(rules, f"day_stop_gain_{unit}")
        if loss is not None and value <= -loss + _CLOSE_TO:
            yield f"day_stop_loss_{unit}", f"{_signed(value)} {name} today, the day stops at {_signed(-loss)} {name}"
        if gain is not None and value >= gain - _CLOSE_TO:
            yield f"day_stop_gain_{unit}", f"{_signed(value)} {name} today, the day stops at {_signed(gain)} {name}"


def _results(rules: Rules, standing: Standing) -> Iterator[tuple[str, str]]:
    drawdown = standing.drawdown(rules.equity, initial=rules.drawdown_from == "initial")
    if rules.max_drawdown_pct is not None and drawdown >= rules.max_drawdown_pct - _CLOSE_TO:
        top = "the initial balance" if rules.drawdown_from == "initial" else "the peak"
        yield "max_drawdown_pct", f"{drawdown:.2f} % below {top}, at most {rules.max_drawdown_pct:g} %"
    rate = standing.winrate(rules.winrate_window)
    if rules.min_winrate_pct is not None and rate is not None and rate < rules.min_winrate_pct:
        of = f"of the last {rules.winrate_window} trades were won"
        yield "min_winrate_pct", f"{rate:.1f} % {of}, at least {rules.min_winrate_pct:g} %"
    if rules.losing_streak is not None and standing.streak >= rules.losing_streak:
        yield "losing_streak", f"{standing.streak} trades lost in a row: half the risk until the next win"


def _times(rules: Rules, now: datetime) -> Iterator[tuple[str, str]]:
    for blackout in rules.news:
        if blackout.holds(now):
            yield "news", f"blackout: {blackout}"
    if rules.sessions and not any(session.holds(now) for session in rules.sessions):
        allowed = ", ".join(str(session) for session in rules.sessions)
        yield "sessions", f"outside the session hours ({allowed})"


def _alert(rules: Rules, facts: Facts) -> Iterator[tuple[str, str]]:
    if rules.symbols and facts.symbol is not None and facts.symbol not in rules.symbols:
        yield "symbols", f"{facts.symbol} is not one of {', '.join(rules.symbols)}"
    if rules.max_risk_pct is not None and facts.risk_usd is not None:
        pct = 100 * facts.risk_usd / rules.equity
        if pct > rules.max_risk_pct + _CLOSE_TO:
            yield "max_risk_pct", f"{facts.risk_usd:.2f} USD at risk is {pct:.2f} %, at most {rules.max_risk_pct:g} %"


def _checklist(rules: Rules, facts: Facts) -> Iterator[tuple[str, str]]:
    missing = [item for item in rules.checklist if not _is_confirmed(rules, facts, item)]
    if missing:
        done = len(rules.checklist) - len(missing)
        yield "checklist", f"{done} of {len(rules.checklist)} confirmed; missing: {', '.join(missing)}"


def _is_confirmed(rules: Rules, facts: Facts, item: str) -> bool:
    """By a confirmation for the engine or for everything."""
    found = (facts.confirmed.get((scope, item)) for scope in (facts.engine, ACCOUNT))
    return any(one is not None and facts.now < one.until and _is_fresh(rules, one, facts.now) for one in found)


def _is_fresh(rules: Rules, one: Confirmation, now: datetime) -> bool:
    if rules.checklist_hours is not None:
        return abs(now - one.ts) < timedelta(hours=rules.checklist_hours)  # a clock may have jumped back
    return rules.calendar.day(one.ts) == rules.calendar.day(now)


def _signed(value: float) -> str:
    return f"{value:+.4g}"
