"""What the monitor knows, as people read it on a phone: JSON in, HTML out. Pure. Only what its API answers is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from runtime import clock
from runtime.payload import Json
from runtime.telegram import reach
from runtime.telegram.text import code, number, plain
from runtime.telegram.words import Words

MOST = 25
LONGEST_MUTE = 30 * 24 * 60
_LENGTH = re.compile(r"(\d{1,6})(m|min|h|d|j)?", re.ASCII)
_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 1440, "j": 1440}
_ICONS: Mapping[str, str] = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
_API: Mapping[str, str] = {"up": "🟢", "slow": "🟠", "down": "🔴", "off": "⚪"}


def muting(args: Iterable[str]) -> tuple[int, str] | None:
    """(minutes, scope) of `/mute 1h [scope]`, in either order; None: it cannot be meant."""
    lengths, scopes = list[int](), list[str]()
    for arg in args:
        found = _LENGTH.fullmatch(arg.lower())
        if found and not lengths:
            lengths.append(int(found[1]) * _MINUTES[found[2] or "m"])
        else:
            scopes.append(arg)
    scope = scopes[0] if scopes else "*"
    if len(lengths) != 1 or len(scopes) > 1 or not 1 <= lengths[0] <= LONGEST_MUTE or not is_scope(scope):
        return None
    return lengths[0], scope


def is_scope(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isprintable()


class Mining:
    """In one language and one time zone."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone

    def health(self, found: Json) -> str:
        """What is wrong, what does not run, whether the tunnel and the nodes do, what is muted."""
        w, alerts = self._words, _rows(found, "alerts")
        loud = [one for one in alerts if not one.get("muted")]
        title = w("h_well" if not loud else "h_ill", host=plain(found.get("host", "?"), 64), n=len(loud))
        lines = [title, *(self._alert(one) for one in alerts[:MOST])]
        lines += [w("more_lines", n=len(alerts) - MOST)] if len(alerts) > MOST else []
        down = [code(one.get("name")) for one in _rows(found, "units") if not one.get("active")]
        lines += [w("h_down", units=", ".join(down[:MOST]))] if down else []
        lines += reach.lines(w, _rows(found, "readings"))
        for one in _rows(found, "mutes")[:MOST]:
            lines.append(w("h_muted", scope=self.scope(one.get("scope")), until=self._time(one.get("until"))))
        return "\n".join(lines)

    def miner(self, found: Json) -> str:
        w, api = self._words, str(found.get("api", "?"))
        given = found.get("total")
        total: Json = given if isinstance(given, dict) else {}
        why = f" {code(found['why'], 150)}" if found.get("why") and api != "up" else ""
        lines = [f"{_API.get(api, '⚪')} {w(f'm_{api}' if f'm_{api}' in w else 'm_off')}{why}"]
        lines += (
            [w("m_rate", rate=_of(total.get("ghs"), total.get("expected_ghs"), "GH/s"))] if _known(total, "ghs") else []
        )
        if _known(total, "accepted"):
            shares = {name: number(total.get(name)) for name in ("accepted", "rejected", "stale", "hw_errors")}
            lines.append(w("m_shares", **shares))
        lines += [w("m_best", best=number(total.get("best_share")))] if total.get("best_share") else []
        lines += [w("m_watts", watts=number(total.get("watts"), 4))] if total.get("watts") else []
        return "\n".join(lines + [self._pool(one) for one in _rows(found, "pools")[:MOST]])

    def sticks(self, found: Json) -> str:
        sticks = _rows(found, "sticks")
        lines = [self._stick(one) for one in sticks[:MOST]]
        lines += [self._words("more_lines", n=len(sticks) - MOST)] if len(sticks) > MOST else []
        return "\n".join(lines) or self._words("s_none")

    def scope(self, scope: Any) -> str:
        return self._words("everything") if scope == "*" else code(scope)

    def _alert(self, one: Json) -> str:
        icon = "🔇" if one.get("muted") else _ICONS.get(str(one.get("severity")), "🔵")
        return f"{icon} {plain(one.get('text', '?'))} · {self._time(one.get('since'))}"

    def _pool(self, one: Json) -> str:
        mark = "⛏" if one.get("active") else "🟢" if str(one.get("status")).lower() == "alive" else "🔴"
        shares = self._words("m_pool", accepted=number(one.get("accepted")), rejected=number(one.get("rejected")))
        return " ".join(filter(None, [mark, code(one.get("url"), 80), code(one.get("user") or "", 80), shares]))

    def _stick(self, one: Json) -> str:
        w = self._words
        if one.get("present") is False:
            return f"🔴 {code(one.get('key'))} {plain(one.get('model') or '', 40)} · {w('s_gone')}"
        said = [f"{code(one.get('key'))} {plain(one.get('model') or '', 40)}".strip()]
        said += [_of(one.get("ghs"), one.get("expected_ghs"), "GH/s")] if _known(one, "ghs") else []
        said += [_of(one.get("mhz"), one.get("mhz_asked"), "MHz")] if _known(one, "mhz") else []
        said += [f"{number(one['temperature_c'], 3)} °C"] if _known(one, "temperature_c") else []
        said += [w("s_errors", n=number(one["hw_errors"]))] if one.get("hw_errors") else []
        said += [w("s_resets", n=number(one["resets"]))] if one.get("resets") else []
        said += [w("s_unusable")] if one.get("usable") is False else []
        return f"{'🟢' if one.get('ghs') else '🟠'} {' · '.join(said)}"

    def _time(self, ts: Any) -> str:
        try:
            return clock.from_iso(str(ts)).astimezone(self._zone).strftime(self._words("day_time"))
        except ValueError:
            return "—"


def _rows(found: Json, name: str) -> list[Json]:
    rows = found.get(name)
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


def _known(found: Json, name: str) -> bool:
    value = found.get(name)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of(value: Any, whole: Any, unit: str) -> str:
    """`320 / 340 GH/s`, or without what is not known."""
    return f"{number(value, 4)} / {number(whole, 4)} {unit}" if whole else f"{number(value, 4)} {unit}"
