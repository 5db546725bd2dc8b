"""What people ask of the bot. Reading is answered at once; what changes something is asked back first.

A question waits 60 s for its button, in memory: after a restart it has expired. The press that confirms is noted in the
store before it is obeyed, so an update that Telegram delivers twice is obeyed once.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runtime import clock
from runtime.store import Store, StoreError
from runtime.telegram import progress
from runtime.telegram.answers import Answers, age
from runtime.telegram.line import Buttons
from runtime.telegram.mining import Mining, is_scope, muting
from runtime.telegram.services import MONITOR, Services, Silent, Strange
from runtime.telegram.text import code, fit, plain
from runtime.telegram.words import Words

STALE_SECONDS = 60.0
CONFIRM_SECONDS = 60.0
PENDING = 50
MENU = (
    *("status", "events", "perf", "lock", "reset", "pause", "resume", "quote"),
    *("health", "miner", "sticks", "mute", "unmute", "restart", "forget", "help"),
)
CHANGES = frozenset({"reset", "pause", "resume", "restart", "forget"})
"""Asked back first."""
MUTES = frozenset({"mute", "unmute"})
"""Done at once: they end by themselves, and touch nothing."""
LONGEST_PAUSE = 525_600
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Command:
    """`/name arg arg` from somebody in a chat, `age` seconds ago by Telegram's clock."""

    name: str
    args: tuple[str, ...]
    chat: int
    user: int
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """HTML, with buttons when it is a question."""

    html: str
    buttons: Buttons = ()


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button: what to flash at whoever pressed it, and the text that takes the question's place (None: it stays)."""

    flash: str = ""
    html: str | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """A change that waits to be confirmed. `minutes` of a pause, None: until resumed. `until` on the steady clock."""

    name: str
    scope: str
    minutes: int | None
    chat: int
    user: int
    until: float


class Usage(Exception):
    """The arguments cannot be used; the message names the sentence that says how."""


def parse(text: str, username: str) -> tuple[str, tuple[str, ...]] | None:
    """The command of a message; None when it is none, or is addressed to another bot of the group."""
    words = text.split()
    if not words or not words[0].startswith("/"):
        return None
    name, _, bot = words[0][1:].partition("@")
    if bot and bot.lower() != username.lower():
        return None
    return name.lower(), tuple(words[1:])


class Commander:
    """Answers commands."""

    def __init__(self, services: Services, store: Store, words: Words, answers: Answers) -> None:
        self._services = services
        self._store = store
        self._words = words
        self._answers = answers
        self._mining = Mining(words, answers.zone)
        self._orders: dict[str, _Order] = {}
        self._reads: dict[str, Callable[[Command], Awaitable[str]]] = {
            "status": self._status,
            "events": self._events,
            "perf": self._perf,
            "lock": self._lock,
            "quote": self._quote,
            "health": self._health,
            "miner": self._miner,
            "sticks": self._sticks,
        }

    async def answer(self, command: Command) -> Reply:
        """Never raises for what the services or the arguments do."""
        if command.name in ("help", "start"):
            return Reply(plain_lines(self._words("help")))
        try:
            if command.name in CHANGES:
                return self._ask_back(command)
            if command.name in MUTES:
                return Reply(self._refusal(command) or await self._mute(command))
            read = self._reads.get(command.name)
            return Reply(fit(await read(command)) if read else self._words("unknown"))
        except Usage as usage:
            return Reply(plain(self._words(str(usage))))
        except (Silent, Strange) as error:
            return Reply(self._trouble(error, changing=command.name in MUTES))

    async def press(self, update_id: int, data: str, chat: int, user: int) -> Pressed:
        """The answer to a question's button."""
        name, _, choice = data.partition(":")
        order = self._orders.get(name)
        if order is None or order.chat != chat or order.until < clock.steady():
            self._orders.pop(name, None)
            return Pressed(html=self._words("expired"))
        if order.user != user:
            return Pressed(flash=self._words("not_yours"))
        del self._orders[name]
        if choice != YES:
            return Pressed(html=self._words("cancelled"))
        return Pressed(html=await self._obey(update_id, order))

    def _ask_back(self, command: Command) -> Reply:
        """Raises Usage."""
        if refusal := self._refusal(command):
            return Reply(refusal)
        minutes, scope = _target(command)
        now, name = clock.steady(), secrets.token_hex(8)
        self._orders = {key: one for key, one in self._orders.items() if one.until >= now}
        while len(self._orders) >= PENDING:
            del self._orders[next(iter(self._orders))]
        self._orders[name] = _Order(command.name, scope, minutes, command.chat, command.user, now + CONFIRM_SECONDS)
        length = self._words("for_minutes", minutes=minutes) if minutes else self._words("until_resumed")
        question = self._words(f"confirm_{command.name}", scope=self._scope(scope), length=length)
        return Reply(question, ((self._words("yes"), f"{name}:{YES}"), (self._words("no"), f"{name}:{NO}")))

    def _refusal(self, command: Command) -> str:
        """Why nothing may be changed by it."""
        if command.age > STALE_SECONDS:
            return self._words("stale", command=command.name, minutes=int(command.age // 60))
        return "" if self._services.may_change else self._words("no_key")

    async def _mute(self, command: Command) -> str:
        """Raises Usage, Silent, Strange."""
        if command.name == "unmute":
            scope = command.args[0] if command.args else "*"
            if len(command.args) > 1 or not is_scope(scope):
                raise Usage("usage_unmute")
            await self._services.order("/api/unmute", {"scope": scope, "by": "telegram"}, MONITOR)
            return self._words("did_unmute", scope=self._scope(scope))
        found = muting(command.args)
        if found is None:
            raise Usage("usage_mute")
        minutes, scope = found
        await self._services.order("/api/mute", {"scope": scope, "minutes": minutes, "by": "telegram"}, MONITOR)
        return self._words("did_mute", scope=self._scope(scope), length=age(minutes * 60.0))

    async def _obey(self, update_id: int, order: _Order) -> str:
        try:
            if not await self._store.write(lambda connection: progress.obey(connection, update_id)):
                return self._words("again")
            return await self._change(order)
        except StoreError:
            return self._words("store_down")
        except (Silent, Strange) as error:
            return self._trouble(error, changing=True)

    async def _change(self, order: _Order) -> str:
        if order.name == "reset":
            was = (await self._services.order("/api/reset_lock")).get("was")
            held = self._words("held_by", engine=code(was)) if was else self._words("held_by_nobody")
            return self._words("did_reset", was=held)
        if order.name == "restart":
            wanted = {"what": order.scope, "why": "Telegram", "by": "telegram"}
            said = await self._services.order("/api/restart", wanted, MONITOR)
            return self._words("did_restart", text=code(said.get("text"), 200))
        if order.name == "forget":
            return await self._forget(order.scope)
        given = {"scope": order.scope, "minutes": order.minutes, "by": "telegram", "reason": "Telegram"}
        if order.name == "resume":
            given = {"scope": order.scope, "by": "telegram"}
        await self._services.order(f"/api/{order.name}", given)
        return self._words(f"did_{order.name}", scope=self._scope(order.scope))

    async def _forget(self, stick: str) -> str:
        """Raises Silent, Strange."""
        try:
            await self._services.order("/api/forget", {"stick": stick, "by": "telegram"}, MONITOR)
        except Strange as error:
            if error.status != 409:
                raise
            return self._words("not_forgotten", stick=code(stick))
        return self._words("did_forget", stick=code(stick))

    async def _status(self, _: Command) -> str:
        return self._answers.status(await self._services.get("tv-webhook", "/api/state"), clock.now())

    async def _lock(self, _: Command) -> str:
        return self._answers.lock(await self._services.get("tv-webhook", "/api/state"))

    async def _health(self, _: Command) -> str:
        return self._mining.health(await self._services.get(MONITOR, "/api/monitor"))

    async def _miner(self, _: Command) -> str:
        return self._mining.miner(await self._services.get(MONITOR, "/api/miner"))

    async def _sticks(self, _: Command) -> str:
        return self._mining.sticks(await self._services.get(MONITOR, "/api/miner"))

    async def _events(self, command: Command) -> str:
        limit = command.args[0] if command.args else "5"
        if not (limit.isdecimal() and limit.isascii() and 1 <= int(limit[:6]) <= 20):
            raise Usage("usage_events")
        found = await self._services.get("tv-webhook", "/api/events", limit=limit, outcome="all")
        return self._answers.events(found.get("events", []))

    async def _perf(self, _: Command) -> str:
        summary = await self._services.get("perf", "/perf/summary")
        return self._answers.perf(summary, await self._services.get("perf", "/perf/kpi", days=1))

    async def _quote(self, command: Command) -> str:
        if not 3 <= len(command.args) <= 4:
            raise Usage("usage_quote")
        engine, price, sl, tp = (*command.args, None)[:4]
        return self._answers.quote(
            await self._services.get("tv-webhook", "/api/risk/quote", engine=engine, price=price, sl=sl, tp=tp)
        )

    def _scope(self, scope: str) -> str:
        return self._words("everything") if scope == "*" else code(scope)

    def _trouble(self, error: Silent | Strange, *, changing: bool = False) -> str:
        if isinstance(error, Silent):
            return self._words("silent", service=plain(error))
        if changing and error.status == 403:
            return self._words("forbidden", service=error.service)
        if changing and error.status == 404 and error.error == "Not Found":
            return self._words("not_offered", service=error.service)
        if changing and error.service == MONITOR and error.status in (409, 429):
            return self._words("not_now", error=code(error.error, 200))
        return self._words("strange", service=error.service, status=error.status, error=code(error.error, 200))


def _target(command: Command) -> tuple[int | None, str]:
    """(minutes, scope) of a change: `/pause 30`, `/pause GOLD`, `/pause 30 GOLD`, `/forget 10014812`. Raises Usage."""
    args, minutes = list(command.args), None
    if command.name == "reset":
        return None, "*"
    if command.name == "restart":
        if args != ["miner"]:
            raise Usage("usage_restart")
        return None, "miner"
    if command.name == "forget" and not args:
        raise Usage("usage_forget")
    if command.name == "pause" and args and args[0].isdecimal() and args[0].isascii():
        minutes = int(args.pop(0)[:9])
        if not 1 <= minutes <= LONGEST_PAUSE:
            raise Usage("usage_pause")
    if len(args) > 1 or any(len(arg) > 64 or not arg.isprintable() for arg in args):
        raise Usage(f"usage_{command.name}")
    return minutes, args[0] if args else "*"


def plain_lines(text: str) -> str:
    """Several lines of our own, escaped."""
    return "\n".join(plain(line) for line in text.split("\n"))
