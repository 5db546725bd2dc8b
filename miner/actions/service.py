"""Doing things: tells first, then acts, then tells how it went; records all of it, and never does two at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from miner.actions import policy as policies
from miner.actions import words
from miner.actions.hand import Done, Hand
from miner.actions.ledger import Ledger
from miner.actions.policy import ASKED, Policy, Reason, Refusal, Standing, Taken, Wish
from miner.actions.request import PORT, Request
from miner.readings import Moment

log = logging.getLogger("miner.actions")


class Tell(Protocol):
    """`Watchman.tell`: a notice that is durable once this returns; the same key is told once."""

    def __call__(self, kind: Any, severity: Any, text: str, key: str) -> Awaitable[Any]: ...


class Miner(Protocol):
    """Of cgminer's client what a change of pool takes."""

    async def state(self) -> Any: ...
    async def switch_pool(self, number: int, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """`outcome`: started, done, failed, unknown or refused; `reason` says why it was refused. `text` is for people."""

    what: str
    outcome: Literal["started", "done", "failed", "unknown", "refused"]
    text: str
    reason: Reason | Literal[""] = ""

    @property
    def http_status(self) -> int:
        """For an API: 202, 429 when it may be asked again later, 404 for no such action, else 409."""
        if self.outcome != "refused":
            return 202
        return {"limit": 429, "too soon": 429, "unknown": 404}.get(self.reason, 409)


class Actions:
    """`what` is `miner` (restart cgminer), `power:PORT` (such as 1-1.4), `pool` (the next one) or `pool:NUMBER`."""

    def __init__(
        self,
        policy: Policy,
        tell: Tell,
        *,
        ledger: Ledger,
        hand: Hand,
        now: Callable[[], Moment],
        language: words.Language = "fr",
        miner: Miner | None = None,
        port_of: Callable[[str], str | None] = lambda stick: None,
    ) -> None:
        """`port_of`: the port path of a stick's key, once it was seen. `miner` None: pools stay as they are."""
        self._policy, self._tell, self._ledger, self._hand = policy, tell, ledger, hand
        self._now, self._language, self._miner, self._port_of = now, language, miner, port_of
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[Outcome] | None = None

    def recent(self, count: int = 20) -> tuple[Taken, ...]:
        """What was done last, the newest first. An `outcome` of "" is going on."""
        return tuple(reversed(self._ledger.all[-count:]))

    async def open(self) -> None:
        """Settles what went on when the monitor was stopped: its answer may have come, or it is taken back."""
        for action in self._ledger.all:
            if not action.outcome:
                await self._end(action, self._left(action))

    async def close(self) -> None:
        """Stop waiting for what goes on; the next `open` settles it."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def begin(self, what: str, why: str, by: str) -> Outcome:
        """What somebody asks for: refused, or started; it goes on by itself, and its end is told and recorded."""
        return await self._begin(Wish(what, why), by, ASKED, healing=False)

    async def request(self, what: str, why: str, by: str) -> Outcome:
        """Like `begin`, and waits for its end."""
        begun = await self.begin(what, why, by)
        return await asyncio.shield(self._task) if begun.outcome == "started" and self._task else begun

    async def consider(self, standing: Sequence[Standing], moment: Moment) -> Outcome | None:
        """Heals, where the policy says so: begins at most one thing, and does not wait for its end."""
        if self._busy or self._lock.locked():
            return None
        wish = policies.choose(self._policy, standing, moment, self._ledger.all, self._port_of)
        if wish is None or self._lacking(wish.what):
            return None
        bounds = policies.bounds_of(self._policy, policies.kind_of(wish.what))
        return await self._begin(wish, "monitor", bounds, healing=True)

    @property
    def _busy(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _begin(self, wish: Wish, by: str, bounds: policies.Bounds, *, healing: bool) -> Outcome:
        async with self._lock:
            refusal = self._refusal(wish.what, bounds, healing=healing)
            if refusal is not None:
                return self._refused(wish.what, refusal)
            moment = self._now()
            place = (moment.at, moment.steady, moment.boot)
            action = Taken(self._hand.new_id(), wish.what, *place, by, wish.why, healing)
            try:
                await asyncio.to_thread(self._ledger.begin, action)
            except OSError as error:
                return self._refused(wish.what, Refusal("not recorded"), str(error))
            return await self._announced(action)

    async def _announced(self, action: Taken) -> Outcome:
        """Nothing is done that could not be announced."""
        text = words.before(action, self._language)
        try:
            await self._tell("action", "info", text, key=f"action:{action.id}:begun")
        except Exception as error:
            log.exception("%s is not done: it cannot be announced", action.what)
            ended = await self._end(action, Done(False, "not told", str(error)))
            return Outcome(action.what, "failed", ended.text)
        self._task = asyncio.create_task(self._act(action))
        return Outcome(action.what, "started", text)

    def _refusal(self, what: str, bounds: policies.Bounds, *, healing: bool) -> Refusal | None:
        if not _known(what):
            return Refusal("unknown")
        if self._busy:
            return Refusal("running")
        lacking = self._lacking(what)
        return lacking or policies.refusal(bounds, what, self._now(), self._ledger.all, healing=healing)

    def _refused(self, what: str, refusal: Refusal, detail: str = "") -> Outcome:
        text = words.refused(refusal, self._language, detail)
        log.info("refused: %s: %s", what[:40], refusal.reason)
        return Outcome(what, "refused", text, refusal.reason)

    async def _act(self, action: Taken) -> Outcome:
        try:
            done = await self._do(action)
        except OSError as error:
            done = Done(False, "error", str(error))
        ended = await self._end(action, done)
        return Outcome(action.what, "done" if done.ok else "failed", words.after(ended, self._language))

    async def _do(self, action: Taken) -> Done:
        if self._needs_root(action.what):
            return await self._hand.do(_request(action))
        assert self._miner is not None  # noqa: S101 - refused otherwise
        return await _switch(self._miner, action.what.partition(":")[2])

    async def _end(self, action: Taken, done: Done) -> Taken:
        outcome = "done" if done.ok else "unknown" if done.code in ("stopped", "no answer") else "failed"
        text = words.result(done, self._language)
        log.info("%s: %s: %s %s", action.what, outcome, done.code, done.detail)
        try:
            ended = await asyncio.to_thread(self._ledger.end, action, outcome, text)
            said = words.after(ended, self._language)
            await self._tell("action", "info" if done.ok else "warning", said, key=f"action:{action.id}:ended")
        except Exception:
            log.exception("the end of %s could not be recorded or told", action.what)
            ended = policies.ended(action, outcome, text)
        return ended

    def _left(self, action: Taken) -> Done:
        if self._needs_root(action.what):
            found = self._hand.result(action.id)
            if found is not None:
                return found
            self._hand.withdraw(_request(action))
        return Done(False, "stopped")

    def _lacking(self, what: str) -> Refusal | None:
        """What is not on this host: said at once, not after something was announced."""
        if not (self._hand.ready() if self._needs_root(what) else self._miner is not None):
            return Refusal("not installed")
        return Refusal("no miner") if what == "miner" and not self._hand.has_miner() else None

    def _needs_root(self, what: str) -> bool:
        return policies.kind_of(what) != "pool"


def _known(what: str) -> bool:
    kind, _, target = what.partition(":")
    if kind == "power":
        return PORT.fullmatch(target) is not None
    return what == "miner" or (kind == "pool" and (target.isdecimal() or what == "pool"))


def _request(action: Taken) -> Request:
    return Request(action.id, action.what.partition(":")[2])


async def _switch(miner: Miner, number: str) -> Done:
    """Any failure of the API is an outcome, not a crash of the monitor."""
    try:
        pools: Iterable[policies.Pool] = (await miner.state()).pools if not number else ()
        chosen = int(number) if number else policies.next_pool(pools)
        if chosen is None:
            return Done(False, "no other pool")
        await miner.switch_pool(chosen)
    except Exception as error:
        return Done(False, "api", f"{type(error).__name__}: {error}")
    return Done(True, "done", f"pool {chosen}")
