"""What is worth telling, and how it is told: from the store's rows to short blocks of HTML. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from runtime import clock
from runtime.engines import is_test
from runtime.router.words import said
from runtime.telegram.text import code, fit, money, number, plain
from runtime.telegram.words import Words

Source = Literal["events", "controls", "resets", "health"]
Row = Mapping[str, Any]

REASON = 200
TRADES = 6
HEALTH_LINES, HEALTH_LINE, HEALTH_ALONE = 25, 130, 600
_REFUSALS = frozenset({"locked", "guarded", "invalid", "rejected"})
_BY_OUTCOME = {"opened": "opened", "closed": "closed", "updated": "updates", "ignored": "ignored"}
_BY_ACTION = {"pause": "pause", "resume": "pause", "confirm": "checklist", "reset": "reset"}
_TITLES = {"resume": "resume", "confirm": "checklist", "reset": "counters"}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news: where it stands in the store, when it was (UTC ISO 8601), its kind, and its text.

    `hurries`: nothing else may delay it.
    """

    source: Source
    id: int
    ts: str
    kind: str
    html: str
    hurries: bool = False


def kind_of_event(row: Row) -> str:
    """One of `runtime.telegram.settings.KINDS`."""
    outcome = row["outcome"]
    if outcome == "duplicate":
        return "duplicates"
    if is_test(row["engine"]):
        return "tests"
    if outcome in _REFUSALS or (row["status"] or 0) >= 400:
        return "refused"
    if outcome in (None, "recorded"):
        return "updates" if row["event_type"] == "BAR" else "signals"
    return _BY_OUTCOME.get(outcome, "ignored")


def kind_of_control(row: Row) -> str | None:
    """None: not known to this release."""
    return _BY_ACTION.get(row["action"])


def hurries(row: Row) -> bool:
    """Something is wrong, or something is being done: no other news may delay it."""
    return bool(row["kind"] == "action" or (row["kind"] == "firing" and row["severity"] != "info"))


class Teller:
    """Makes items, in one language and one time zone."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone

    def event(self, row: Row, closed: Sequence[Row] = ()) -> Item:
        """`closed`: the trades that the event ended."""
        kind = kind_of_event(row)
        lines = self._closed(row, closed) if kind == "closed" and closed else self._alert(row, kind)
        if kind != "closed":
            lines += [line for line in self._closed(row, closed) if closed]
        lines += [code(row["reason"], REASON), *self._guards(row["guards"])]
        return Item("events", row["id"], row["ts"], kind, "\n".join(filter(None, lines)))

    def reset(self, row: Row) -> Item:
        held = self._words("held_by", engine=code(row["engine"])) if row["engine"] else self._words("held_by_nobody")
        return Item("resets", row["id"], row["ts"], "reset", f"{self._words('reset')} {held} · {self.time(row['ts'])}")

    def health(self, row: Row) -> Item:
        """As the monitor worded it: the first line with the host and the time, which may be long ago."""
        first, *rest = [line for line in row["text"].split("\n") if line.strip()][:HEALTH_LINES] or ["?"]
        words = plain(first, HEALTH_LINE if rest else HEALTH_ALONE)
        title = f"{words}\n<b>{plain(row['host'], 64)}</b> · {self.time(row['ts'])}"
        text = "\n".join([title, *(plain(line, HEALTH_LINE) for line in rest)])
        return Item("health", row["id"], row["ts"], "health", fit(text), hurries(row))

    def control(self, row: Row) -> Item:
        title = self._words(_TITLES.get(row["action"], "pause"))
        scope = self._words("everything") if row["scope"] == "*" else code(row["scope"])
        said = [f"{title} {scope}", *self._detail(row["detail"]), self._words("by", by=code(row["by"]))]
        text = " · ".join(filter(None, [*said, self.time(row["ts"])]))
        return Item("controls", row["id"], row["ts"], kind_of_control(row) or "ignored", text)

    def time(self, ts: str) -> str:
        """In the user's zone: a message may come long after what it tells of."""
        return clock.from_iso(ts).astimezone(self._zone).strftime(self._words("day_time"))

    def _alert(self, row: Row, kind: str) -> list[str]:
        names = [code(row["signal"]), code(row["engine"]), code(row["symbol"]), code(row["tf"])]
        title = self._words(kind)
        if kind == "refused":
            key = f"why_{row['outcome']}"
            title += f" ({self._words(key) if key in self._words else plain(row['outcome'])})"
        lines = [" ".join(filter(None, [title, *names])), " · ".join([*self._levels(row, kind), self.time(row["ts"])])]
        return [
            *lines,
            code(self._why(row["reason_text"]), REASON)
            if kind in ("refused", "ignored") and row["reason_text"]
            else "",
        ]

    def _levels(self, row: Row, kind: str) -> list[str]:
        found = [self._words("entry", price=number(row["price"]))] if row["price"] else []
        found += [f"{name} {number(row[name.lower()])}" for name in ("SL", "TP") if row[name.lower()]]
        if kind == "opened":
            found.append(self._words("quantity", qty=number(row["qty"])))
            found.append(self._words("risk", risk=number(row["risk_usd"], 6)))
        return found

    def _closed(self, row: Row, trades: Sequence[Row]) -> list[str]:
        lines = [self._ended(trade, row["ts"]) for trade in trades[:TRADES]]
        return [*lines, f"… +{len(trades) - TRADES}"] if len(trades) > TRADES else lines

    def _ended(self, trade: Row, ts: str) -> str:
        pnl, r = trade["pnl"], trade["r"]
        title = self._words("closed" if not pnl else "closed_win" if pnl > 0 else "closed_loss")
        names = f"{title} {code(trade['side'])} {code(trade['engine'])} {code(trade['symbol'])}"
        way = f"{number(trade['entry'])} → {number(trade['exit'])}" if trade["exit"] is not None else ""
        result = f"<b>{money(r)} R</b>" if r is not None else ""
        gain = f"{money(pnl)} USD" if pnl is not None else ""
        return " · ".join(
            filter(None, [names, way, result, gain, code(self._why(trade["closed_why"] or "")), self.time(ts)])
        )

    def _detail(self, text: str) -> list[str]:
        """For how long, why, and which items: as `runtime.webhook.control` notes them."""
        try:
            said = json.loads(text) if text else {}
            found = [self._words("for", minutes=number(said["minutes"]))] if said.get("minutes") else []
            return [*found, code(", ".join(said.get("items", ())), REASON), code(said.get("reason", ""), REASON)]
        except (ValueError, TypeError, AttributeError):
            return []

    def _why(self, text: str) -> str:
        return said(text, self._words.language)

    def _guards(self, text: str | None) -> list[str]:
        """What the guards said, one line each; only what they refused by is said elsewhere already."""
        try:
            findings = json.loads(text) if text else []
            found = [
                self._why(f"{one['guard']}: {one['text']}")
                for one in findings
                if one.get("mode") == "warn" or one.get("effect") != "refuse"
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []
        return [f"⚠️ {code(one, REASON)}" for one in found[:3]]
