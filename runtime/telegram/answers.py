"""What the services know, as people read it on a phone: JSON in, HTML out. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from runtime import clock
from runtime.payload import Json
from runtime.telegram.text import code, money, number, plain
from runtime.telegram.words import Words


class Answers:
    """In one language and one time zone."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone

    @property
    def zone(self) -> ZoneInfo:
        return self._zone

    def status(self, state: Json, now: datetime) -> str:
        """How tv-webhook is: the lock, the alerts, what its sinks owe, what is paused."""
        w, last = self._words, state.get("last_event_ts")
        ago = w("ago", age=age((now - clock.from_iso(last)).total_seconds())) if last else w("never")
        lines = [w("state"), self.lock(state), w("events_total", count=number(state.get("events_total")), ago=ago)]
        sinks = state.get("sinks")
        for name, sink in (sinks if isinstance(sinks, dict) else {}).items():
            lines += self._sink(name, sink)
        return "\n".join([*lines, *self._paused(state), *self._guarded(state)])

    def lock(self, state: Json) -> str:
        held = state.get("lock")
        if not isinstance(held, dict):
            return self._words("lock_free")
        said = self._words("lock_held", engine=code(held.get("engine")), since=self.time(held.get("since")))
        expires = held.get("expires_at")
        return said + (self._words("lock_until", until=self.time(expires)) if expires else "")

    def events(self, events: list[Json]) -> str:
        """Newest first in, oldest first out, as one reads."""
        return "\n".join(self._event(event) for event in reversed(events)) or self._words("no_events")

    def perf(self, summary: Json, kpi: Json) -> str:
        w, whole = self._words, kpi.get("all", {})
        lines = [
            w("perf"),
            w(
                "perf_equity",
                equity=number(summary.get("equity_last")),
                equity0=number(summary.get("equity0")),
                pnl=money(summary.get("pnl_realized")),
            ),
            w(
                "perf_trades",
                closed=number(summary.get("closed_trades")),
                open=number(summary.get("open_trades")),
                winrate=percent(summary.get("winrate_pct")),
                avg_r=r_multiple(summary.get("avg_r")),
            ),
            w(
                "perf_kpi",
                expectancy=r_multiple(whole.get("expectancy_r")),
                factor=number(whole.get("profit_factor"), 3),
                payoff=number(whole.get("payoff"), 3),
            ),
            w("perf_dd", dd=number(summary.get("max_dd")), percent=percent(summary.get("max_dd_pct"))),
        ]
        return "\n".join([*lines, *self._engines(summary.get("engines", {}))])

    def quote(self, found: Json) -> str:
        w = self._words
        size = w(
            "quote_size",
            qty=number(found.get("qty")),
            risk=number(found.get("risk_real_usd"), 6),
            wanted=number(found.get("risk_usd"), 6),
        )
        warnings = [f"⚠️ {code(text, 200)}" for text in list(found.get("warnings") or [])[:5]]
        return "\n".join([w("quote", engine=code(found.get("engine"))), size, *warnings])

    def time(self, ts: Any) -> str:
        try:
            return clock.from_iso(str(ts)).astimezone(self._zone).strftime(self._words("day_time"))
        except ValueError:
            return "—"

    def _event(self, event: Json) -> str:
        names = [code(event.get(name)) for name in ("signal", "engine", "symbol") if event.get(name)]
        outcome = plain(event.get("_outcome", ""), 20)
        return " ".join([self.time(event.get("_ts")), *names, number(event.get("price")), outcome]).rstrip()

    def _sink(self, name: str, state: Json) -> list[str]:
        sink, count, error, dead = plain(name, 30), state.get("pending"), state.get("error"), state.get("dead")
        found = []
        if error:
            found.append(self._words("owed_error", sink=sink, count=number(count), error=code(error, 150)))
        elif count:
            found.append(self._words("owed", sink=sink, count=number(count)))
        return found + ([self._words("dead", sink=sink, count=number(dead))] if dead else [])

    def _paused(self, found: Json) -> list[str]:
        pauses = found.get("pauses")
        lines = []
        for one in (pauses if isinstance(pauses, list) else [])[:20]:
            scope = self._words("everything") if one.get("scope") == "*" else code(one.get("scope"))
            until = one.get("until")
            values = {"scope": scope, "until": self.time(until)}
            lines.append(self._words("paused_until" if until else "paused", **values))
        return lines

    def _guarded(self, state: Json) -> list[str]:
        """The engines that would not open as they want to, and why."""
        found = state.get("guards")
        lines = []
        for name, one in list((found if isinstance(found, dict) else {}).items())[:20]:
            said = "; ".join(f"{two.get('guard')}: {two.get('text')}" for two in one.get("findings", ()))
            mark = "⚠️" if one.get("opens") else "⛔"
            lines.append(f"{mark} {code(name)} {code(said, 150)}")
        return lines

    def _engines(self, engines: Json) -> list[str]:
        return [
            self._words(
                "perf_engine",
                engine=code(name),
                pnl=money(one.get("pnl")),
                winrate=percent(one.get("winrate")),
                closed=number(one.get("closed")),
            )
            for name, one in list(engines.items())[:20]
        ]


def percent(value: Any) -> str:
    return f"{value:.1f} %" if isinstance(value, int | float) else "—"


def r_multiple(value: Any) -> str:
    return f"{money(value)} R" if isinstance(value, int | float) else "—"


def age(seconds: float) -> str:
    """The two largest units: 3 s, 5 min, 2 h 5 min, 3 d 4 h."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
