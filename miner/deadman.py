"""Noticed from outside when this host goes silent: a ping that stays away, and hosts that look after each other.

`DeadMan` pings a check of Healthchecks or of what speaks like it, which alerts when pings stay away: the URL itself for
"well", `/start` when the service begins, `/fail` with a few words when news cannot be delivered from here. The URL is
the check's password. Source: https://healthchecks.io/docs/http_api/ (answers are 200 with "OK"; 404 when there is no
such check, 409 when a slug is not unique, 429 when it is pinged more than five times a minute).

`Peers` asks other hosts' monitors for /ready: any word from them counts, since one that is not well tells so itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from miner.monitor import ask
from miner.readings import Reading
from runtime import clock
from runtime.keys import Secret

Signal = Literal["start", "success", "fail"]
Trouble = Callable[[], Awaitable[str]]

TIMEOUT_S = 10.0
TRIES_AFTER_S = (1.0, 2.0, 4.0)
LONGEST_BODY = 1000
ALIVE = frozenset({200, 503})
"""What a monitor's /ready answers. Anything else comes from something in between."""

log = logging.getLogger("miner.deadman")


@dataclass(frozen=True, slots=True)
class Pinged:
    """How the last ping went. `error` never holds the URL."""

    ok: bool
    error: str = ""


def check_url(text: str) -> str:
    """The URL of a check. Raises ValueError, which does not quote it: it is a secret."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or len(url.path) < 2 or url.fragment:
        raise ValueError("expected the ping URL of a check, such as https://hc-ping.com/UUID")
    return text


def signal_url(url: str, signal: Signal) -> str:
    """Where a signal goes; a query (`?create=1`) stays at the end."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + ("" if signal == "success" else f"/{signal}")
    return urlunsplit(parts._replace(path=path))


class DeadMan:
    """Pings every `every` seconds until it is cancelled. `trouble` says why this host cannot be relied on; "" : it can.

    Nothing that happens here reaches anybody else: what cannot be pinged is logged once, and tried again in time.
    """

    def __init__(self, url: Secret, trouble: Trouble, *, every: float = 60.0, timeout: float = TIMEOUT_S) -> None:
        self._url, self._trouble, self._every, self._timeout = url, trouble, every, timeout
        self.last: Pinged | None = None

    async def run(self) -> None:
        """Start is told once, then well or not at each interval, the first at once."""
        await self.ping("start")
        due = clock.steady()
        while True:
            await self._beat()
            due = max(due + self._every, clock.steady())
            await asyncio.sleep(due - clock.steady())

    async def _beat(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                said = await self._trouble()
        except Exception as error:
            said = f"the monitor cannot tell how it is: {type(error).__name__}"
        await self.ping("fail" if said else "success", said)

    async def ping(self, signal: Signal, body: str = "") -> Pinged:
        """One signal, tried again while that can help."""
        pinged = await self._try(signal, body)
        for pause in TRIES_AFTER_S:
            if pinged is not None:
                break
            await asyncio.sleep(pause)
            pinged = await self._try(signal, body)
        found = pinged or Pinged(False, self._why)
        if not found.ok and (self.last is None or self.last.error != found.error):
            log.warning("the dead-man switch was not reached: %s", found.error)
        self.last = found
        return found

    async def _try(self, signal: Signal, body: str) -> Pinged | None:
        """None: trying again can help."""
        try:
            async with asyncio.timeout(self._timeout):
                text = body.encode()[:LONGEST_BODY]
                answer = await ask.post(signal_url(self._url.reveal(), signal), text, {"Content-Type": "text/plain"})
        except Exception as error:  # whatever a strange server makes of it, it stays here
            self._why = f"{type(error).__name__}" + (
                f" {error.errno}" if isinstance(error, OSError) and error.errno else ""
            )
            return None
        if answer.status == 200:
            return Pinged(True)
        self._why = f"it answered {answer.status}"
        return None if answer.status in (408, 429) or answer.status >= 500 else Pinged(False, self._why)

    _why = ""


class Peers:
    """Seconds since each peer's monitor last answered, or since we began to ask: `peer.seen_s`, by its name."""

    name, every, timeout = "peers", 15.0, 12.0

    def __init__(self, urls: Mapping[str, str], *, each: float = 8.0) -> None:
        """`urls`: the base URL of each peer's monitor. `each`: seconds that one has for its answer."""
        self._urls, self._each = dict(urls), each
        self._seen = dict.fromkeys(self._urls, clock.steady())

    async def collect(self) -> list[Reading]:
        """All at once: a peer that hangs holds up no other."""
        return list(await asyncio.gather(*(self._look(name, url) for name, url in self._urls.items())))

    async def _look(self, name: str, url: str) -> Reading:
        asked = clock.steady()
        why = await self._silence(url)
        if not why:
            self._seen[name] = asked
        return Reading("peer.seen_s", name, round(clock.steady() - self._seen[name], 1) if why else 0.0, why)

    async def _silence(self, url: str) -> str:
        """Why it counts as silent; "" when it answered."""
        try:
            async with asyncio.timeout(self._each):
                answer = await ask.get(f"{url.rstrip('/')}/ready")
        except TimeoutError:
            return f"no answer within {self._each:g} s"
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        return "" if answer.status in ALIVE else f"it answered {answer.status}"
