"""`./inv trading.*`: what an operator tells a host's router, and what its guards say."""

from __future__ import annotations

import json as jsonlib
import sys
from typing import Any

from ops import service_call
from ops.inventory import Host

Json = dict[str, Any]


def pause(host: Host, engine: str | None, minutes: str | None, reason: str) -> None:
    """Nothing opens from here on; what closes, marks and records goes on."""
    body = _scope(engine) | ({"minutes": minutes} if minutes else {}) | ({"reason": reason} if reason else {})
    done = _operate(host, "/api/pause", body)
    until = f"until {done['until']}" if done["until"] else "until ./inv trading.resume"
    _say(f"{host.name}: {_named(done)} paused since {done['since']}, {until}")


def resume(host: Host, engine: str | None) -> None:
    done = _operate(host, "/api/resume", _scope(engine))
    _say(f"{host.name}: {_named(done)} {'resumed' if done['was_paused'] else 'was not paused'}")
    if done["still_paused_by"]:
        _say(f"{host.name}: everything is still paused: ./inv trading.resume --host {host.name}")


def confirm(host: Host, item: str, engine: str | None, hours: str | None) -> None:
    items: Any = [part.strip() for part in item.split(",")] if "," in item else item
    done = _operate(host, "/api/confirm", _scope(engine) | {"item": items} | ({"hours": hours} if hours else {}))
    _say(f"{host.name}: {_named(done)} confirmed {', '.join(done['confirmed'])}, at most until {done['until']}")


def reset(host: Host, engine: str | None) -> None:
    """What was counted for one scope is forgotten on the host, and printed here."""
    done = _operate(host, "/api/guards/reset", _scope(engine))
    _say(f"{host.name}: {_named(done)} counts from zero; before: {jsonlib.dumps(done['was'])}")


def guards(host: Host, *, json: bool) -> int:
    """What an opening would be told now; 1 when anything is paused or refused."""
    with service_call.webhook(host) as webhook:
        found: Json = webhook.ask("GET", "/api/guards")
    if json:
        _say(jsonlib.dumps(found))
    else:
        for line in lines(found):
            _say(line)
    return 0 if all(engine["opens"] for engine in found["engines"].values()) else 1


def lines(found: Json) -> list[str]:
    """The answer of /api/guards for people: each engine, what it is told, and what was counted."""
    shown = []
    for name, engine in found["engines"].items():
        risk = "" if engine["risk_factor"] == 1 else f", at {engine['risk_factor']:g} of its risk"
        shown.append(f"{name:16} {'opens' + risk if engine['opens'] else 'REFUSED'}")
        shown += [f"{'':16} {_finding(one)}" for one in engine["findings"]]
    for scope, standing in found["standings"].items():
        rate = "" if standing["winrate_pct"] is None else f", {standing['winrate_pct']:g} % won"
        today = f"{standing['day']}: {standing['trades_today']} trades, {standing['r_today']:+g} R"
        money = f"{standing['usd_today']:+.2f} USD; {standing['equity']:.2f} USD, {standing['drawdown_pct']:g} % down"
        shown.append(
            f"counted {_scope_name(scope):16} {today}, {money}, {standing['losing_streak']} lost in a row{rate}"
        )
    if not found["rules"]:
        shown.append("no guards are configured: docs/guards.md")
    return shown


def _finding(one: Json) -> str:
    word = one["mode"] if one["mode"] == "warn" else one["effect"]
    return f"{word}: {one['guard']} ({_scope_name(one['scope'])}): {one['text']}"


def _operate(host: Host, path: str, body: Json) -> Json:
    with service_call.webhook(host) as webhook:
        done: Json = webhook.operate(path, body)
    return done


def _scope(engine: str | None) -> Json:
    return {"scope": engine} if engine else {}


def _named(done: Json) -> str:
    return _scope_name(done["scope"])


def _scope_name(scope: str) -> str:
    return "everything" if scope == "*" else scope


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
