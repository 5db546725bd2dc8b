"""What an operator may do: pause, resume, confirm a checklist, count anew. Committed before it is answered.

The operator's key comes as `ops_key` in the body or in the header X-Ops-Key. Doing a thing twice is doing it once;
each time is kept in the table `controls`.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request
from sqlalchemy import Connection

from runtime import auth, clock, http, payload
from runtime.convert import Language
from runtime.engines import Registry
from runtime.keys import Secret
from runtime.payload import Invalid, Json
from runtime.router.guards import Confirmation, Pause
from runtime.router.guards_rules import ACCOUNT, Rules
from runtime.router.words import said
from runtime.store import Store
from runtime.webhook import guarding
from runtime.webhook.guarding import Known
from runtime.webhook.schema import CONFIRM_BODY, PAUSE_BODY, SCOPE_BODY

MOST_MINUTES = 525_600.0
MOST_HOURS = 24.0 * 31
HOURS = 24.0
ALL = "all"

log = logging.getLogger("runtime.webhook")


async def operator(request: Request, secret: Secret) -> Json:
    """The body of an operator's request, without the key. Raises Forbidden, NotJson, Invalid."""
    header = request.headers.get("x-ops-key")
    body = await http.read_body(request)
    if header is not None and not auth.matches(header, secret):
        raise auth.Forbidden
    parsed = payload.parse(body or b"{}")
    key = parsed.data.pop("ops_key", None)
    if (key is not None or header is None) and not auth.matches(key, secret):
        raise auth.Forbidden
    data: Json = payload.redact(payload.check(parsed), secret.reveal())
    return data


@dataclass(frozen=True, slots=True)
class Asked:
    """When, from where, and by whom in the caller's own word."""

    now: datetime
    ip: str
    by: str

    def note(self, connection: Connection, action: str, scope: str, detail: str = "") -> None:
        guarding.note(connection, self.now, self.ip, self.by, action, scope, detail)
        log.info("%s: %s by %s", action, scope, self.by)


Write = Callable[[Connection], Json]
Action = Callable[[Json, Asked], Write]
"""Refuses what cannot be done (Invalid) before anything is written."""


class Control:
    """The operator's routes."""

    def __init__(self, registry: Registry, key: Secret, store: Callable[[], Store], language: Language) -> None:
        self._registry, self._guards, self._key, self._store = registry, registry.guards, key, store
        self._language = language

    def install(self, app: FastAPI) -> None:
        for path, body, action, summary in (
            ("/api/pause", PAUSE_BODY, self.pause, "Let nothing open (operator's key)"),
            ("/api/resume", SCOPE_BODY, self.resume, "End a pause (operator's key)"),
            ("/api/confirm", CONFIRM_BODY, self.confirm, "Confirm items of a checklist (operator's key)"),
            ("/api/guards/reset", SCOPE_BODY, self.restart, "Count a scope from zero (operator's key)"),
        ):
            app.post(path, openapi_extra=body, summary=summary)(self._answered(action))

        @app.get("/api/guards", summary="Rules, counters, pauses, and what an opening would be told now")
        def guards() -> Any:
            return http.JsonResponse(self.shown())

    def _answered(self, action: Action) -> Any:
        async def answer(request: Request) -> http.JsonResponse:
            data, now = await operator(request, self._key), clock.now()
            done = await self._store().write(action(data, Asked(now, caller(request.scope), _by(data))))
            return http.JsonResponse({"ok": True} | done)

        return answer

    def pause(self, data: Json, asked: Asked) -> Write:
        """An engine, or everything; for `minutes`, or until it is resumed. A pause goes on from when it began."""
        scope, minutes = self._scope(data), _amount(data, "minutes", MOST_MINUTES)
        reason = payload.label(data, "reason", limit=200) if data.get("reason") else ""
        until = asked.now + timedelta(minutes=minutes) if minutes is not None else None

        def write(connection: Connection) -> Json:
            before = guarding.read_pauses(connection).get(scope)
            since = before.since if before is not None and before.holds(asked.now) else asked.now
            pause = Pause(since, until, reason, asked.by)
            guarding.write_pause(connection, scope, pause)
            asked.note(connection, "pause", scope, json.dumps({"minutes": minutes, "reason": reason}))
            return paused(scope, pause)

        return write

    def resume(self, data: Json, asked: Asked) -> Write:
        """Ends the pause of one scope; one of everything still holds an engine that is resumed."""
        scope = self._scope(data)

        def write(connection: Connection) -> Json:
            holding = {name for name, one in guarding.read_pauses(connection).items() if one.holds(asked.now)}
            guarding.end_pause(connection, scope)
            asked.note(connection, "resume", scope)
            still = scope != ACCOUNT and ACCOUNT in holding
            return {"scope": scope, "was_paused": scope in holding, "still_paused_by": ACCOUNT if still else None}

        return write

    def confirm(self, data: Json, asked: Asked) -> Write:
        """One item, a list of them, or `all`; they count for as long as the checklist says, at most `hours`."""
        scope, hours = self._scope(data), _amount(data, "hours", MOST_HOURS)
        items = self._items(data, scope)
        longest = max((rules.checklist_hours or HOURS for rules in self._listed(scope)), default=HOURS)
        one = Confirmation(asked.now, asked.now + timedelta(hours=longest if hours is None else hours))

        def write(connection: Connection) -> Json:
            guarding.write_confirmations(connection, scope, items, one, asked.by)
            asked.note(connection, "confirm", scope, json.dumps({"items": items, "hours": hours}))
            return {"scope": scope, "confirmed": items, "until": clock.iso(one.until)}

        return write

    def restart(self, data: Json, asked: Asked) -> Write:
        """What was counted for one scope is forgotten: after a drawdown, somebody decides to go on."""
        scope = self._scope(data)

        def write(connection: Connection) -> Json:
            before = guarding.restart(connection, scope)
            asked.note(connection, "reset", scope, before.to_json() if before else "")
            return {"scope": scope, "was": before.shown() if before else None}

        return write

    def shown(self) -> Json:
        """Rules in force, counters, pauses and confirmations that hold, and what each engine would be told now."""
        now = clock.now()
        with self._store().read() as connection:
            known = guarding.load(connection, self._guards)
            confirmed = guarding.read_confirmations(connection)
        return {
            "ok": True,
            "now": clock.iso(now),
            "rules": {scope: rules.shown() for scope, rules in self._guards.scopes().items()},
            "standings": self._standings(known, now),
            "pauses": pauses(known.pauses, now),
            "confirmations": [_confirmation(*key, one) for key, one in sorted(confirmed.items()) if now < one.until],
            "engines": {name: self._verdict(known, name, now) for name in self._sized()},
        }

    def summary(self, connection: Connection) -> Json:
        """For the state: `pauses`, and under `guards` the engines that would not open as they want to."""
        now, known = clock.now(), guarding.load(connection, self._guards)
        told = {name: self._verdict(known, name, now) for name in self._sized()}
        held = {name: verdict for name, verdict in told.items() if verdict["findings"]}
        return {"pauses": pauses(known.pauses, now), "guards": held}

    def _verdict(self, known: Known, engine: str, now: datetime) -> Json:
        """`text` of a finding is English, `said` is what the page shows."""
        verdict = known.verdict(engine, now)
        findings = [found | {"said": said(found["text"], self._language)} for found in verdict.shown()]
        return {"opens": not verdict.refuses, "risk_factor": verdict.factor, "findings": findings}

    def _standings(self, known: Known, now: datetime) -> Json:
        found = {}
        for scope, rules in self._guards.scopes().items():
            standing = known.standing(scope).on(rules.calendar.day(now))
            drawdown = standing.drawdown(rules.equity, initial=rules.drawdown_from == "initial")
            rate = standing.winrate(rules.winrate_window)
            found[scope] = standing.shown() | {
                "equity": round(rules.equity + standing.total, 2),
                "drawdown_pct": round(drawdown, 4),
                "winrate_pct": rate if rate is None else round(rate, 2),
            }
        return found

    def _sized(self) -> list[str]:
        return [name for name, engine in self._registry.engines.items() if engine.account is not None]

    def _scope(self, data: Json) -> str:
        """`*` for everything, else an engine that there is: a pause of a name nobody has would hold nothing."""
        if data.get("scope") in (None, "", ACCOUNT):
            return ACCOUNT
        return _one_of(payload.label(data, "scope"), self._registry.engines, "scope", "no engine")

    def _listed(self, scope: str) -> list[Rules]:
        """The rules with a checklist that a confirmation for `scope` can count for."""
        rules = self._guards.scopes().items() if scope == ACCOUNT else self._guards.of(scope)
        return [one for _, one in rules if one.checklist]

    def _items(self, data: Json, scope: str) -> list[str]:
        known = list(dict.fromkeys(item for rules in self._listed(scope) for item in rules.checklist))
        if not known:
            raise Invalid("item", f"{'nothing' if scope == ACCOUNT else scope} has a checklist to confirm")
        given = data.get("item")
        if given == ALL and ALL not in known:
            return known
        named = given if isinstance(given, list) and given else [given]
        labels = [payload.label({"item": item}, "item") for item in named]
        return list(dict.fromkeys(_one_of(label, known, "item", "on no checklist") for label in labels))


def paused(scope: str, pause: Pause) -> Json:
    until = clock.iso(pause.until) if pause.until else None
    return {"scope": scope, "since": clock.iso(pause.since), "until": until, "reason": pause.reason, "by": pause.by}


def pauses(found: dict[str, Pause], now: datetime) -> list[Json]:
    """Those that hold."""
    return [paused(scope, pause) for scope, pause in sorted(found.items()) if pause.holds(now)]


def _confirmation(scope: str, item: str, one: Confirmation) -> Json:
    return {"scope": scope, "item": item, "ts": clock.iso(one.ts), "until": clock.iso(one.until)}


def _one_of(name: str, known: Iterable[str], field: str, what: str) -> str:
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    raise Invalid(field, f"{name!r} is {what}; " + (f"did you mean {near[0]}?" if near else f"there are {names}"))


def _by(data: Json) -> str:
    """Who asks, in the caller's own word: telegram, task, page."""
    return payload.label(data, "by", limit=32) if data.get("by") else "api"


def _amount(data: Json, field: str, most: float) -> float | None:
    value = payload.number(data, field)
    if value is not None and not 0 < value <= most:
        raise Invalid(field, f"expected a number above 0 and at most {most:g}")
    return value


def caller(scope: http.Scope) -> str:
    """Where a request came from, seen through the tunnel."""
    client = scope.get("client")
    forwarded = http.header(scope, b"x-forwarded-for")
    return auth.caller(client[0] if client else None, forwarded)
