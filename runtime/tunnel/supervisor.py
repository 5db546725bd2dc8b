"""Keeps the agent running: waits for the webhook, starts it, reads what it says, and tells why it is not up.

The agent is a child, so that its words are heard; it ends with its supervisor. Between two starts the pause doubles, up
to some minutes: vendors block accounts that knock too often. What needs a person waits at that length from the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from runtime import clock
from runtime.tunnel import failures, others, state
from runtime.tunnel.failures import Failure
from runtime.tunnel.kinds import Line
from runtime.tunnel.settings import TunnelSettings
from runtime.tunnel.state import State

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
STEADY = 60.0
"""Seconds after which a tunnel that was up counts as one that works: the next pause is short again."""
LOOK = 1.0
STOP_SECONDS = 5.0
LEAVE_SECONDS = 2.0  # between an agent's last word and its end
LINE_LIMIT = 1 << 16

log = logging.getLogger("runtime.tunnel")


class Supervisor:
    """`told` gets every state that differs from the one before."""

    def __init__(self, settings: TunnelSettings, told: Callable[[State], None]) -> None:
        self._settings = settings
        self._told = told
        self._now = state.now(settings.kind.name, "waiting")
        self._pause = FIRST_PAUSE
        self._error = ""
        self._before: Failure | None = None

    async def run(self) -> None:
        """Until cancelled; the agent is ended first. Returns when the URL is taken and may be taken over: a new start
        of the unit does that."""
        while True:
            await self._until_served()
            failure = self._before = await self._one_run()
            self._tell("failed", code=failure.code, why=failure.why, hint=failure.hint)
            log.error("%s (%s); trying again in %g s", failure.why, failure.hint, self._rest(failure))
            if failure.code == failures.TAKEN and self._settings.take_over:
                return
            await asyncio.sleep(self._rest(failure))
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._now = replace(self._now, restarts=self._now.restarts + 1)

    def _rest(self, failure: Failure) -> float:
        return LONGEST_PAUSE if failure.lasting else self._pause

    async def _until_served(self) -> None:
        """A tunnel to nothing would answer TradingView with errors, and it sends those again."""
        while not await asyncio.to_thread(_answers, self._settings.upstream):
            self._tell("waiting", why=f"the webhook does not answer at {self._settings.upstream}")
            await asyncio.sleep(LOOK)

    async def _one_run(self) -> Failure:
        """From its start to its end."""
        self._tell("starting", url=self._settings.url, **_again(self._before))
        self._error, begun = "", clock.steady()
        try:
            agent = await asyncio.create_subprocess_exec(
                *self._settings.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_LIMIT,
            )
        except OSError as error:
            hint = "is its package installed? ./inv deploy"
            return Failure("", f"{self._settings.program} cannot be started: {error.strerror}", hint, lasting=True)
        try:
            await self._listen(agent)
            await _ended(agent, LEAVE_SECONDS)
        finally:
            await _end(agent)
        if clock.steady() - begun > STEADY:
            self._pause = FIRST_PAUSE
        return self._explained(agent.returncode)

    async def _listen(self, agent: asyncio.subprocess.Process) -> None:
        assert agent.stdout is not None  # noqa: S101 - it was asked for
        while True:
            try:
                raw = await agent.stdout.readline()
            except ValueError:  # a line over the limit: the rest of it is read as further lines
                continue
            if not raw:
                return
            if text := raw.decode(errors="replace").strip():
                self._hear(self._settings.kind.read(text))

    def _hear(self, line: Line) -> None:
        log.log(logging.WARNING if line.error or line.down else logging.INFO, "%s", line.text[:500])
        if line.error:
            self._error = line.text
        if line.up:
            self._error, self._before = "", None
            self._tell("up", url=line.url or self._now.url)
        elif line.down and self._now.state == "up":
            self._tell("down", why="the agent has lost its connection and tries again by itself")

    def _explained(self, status: int | None) -> Failure:
        failure = failures.of(
            self._settings.kind.name, self._error or (f"it ended with status {status}" if status else "")
        )
        if failure.code in (failures.TAKEN, "108"):
            found = others.find(self._settings.kind.program, self._settings.unit)
            here = (
                "; on this machine runs " + ", ".join(map(str, found)) if found else "; none other runs on this machine"
            )
            return replace(failure, why=failure.why + here)
        return failure

    def _tell(self, standing: state.Standing, **more: str) -> None:
        told = state.now(
            self._settings.kind.name, standing, restarts=self._now.restarts, **({"url": self._now.url} | more)
        )
        if replace(told, since="") == replace(self._now, since=""):
            return
        self._now = told
        self._told(told)


def _again(before: Failure | None) -> dict[str, str]:
    """Whoever looks while it tries again still reads why it has to."""
    if before is None:
        return {}
    return {"code": before.code, "why": f"again, after: {before.why}", "hint": before.hint}


def _answers(upstream: str) -> bool:
    place = urlsplit(upstream)
    asked = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port or 80, timeout=3)
    try:
        asked.request("GET", "/health")
        return asked.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


async def _end(agent: asyncio.subprocess.Process) -> None:
    for ask in (agent.terminate, agent.kill):
        if agent.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            ask()
        await _ended(agent, STOP_SECONDS)


async def _ended(agent: asyncio.subprocess.Process, seconds: float) -> None:
    """Wait for its status. A signal to a process that just ended would take it from asyncio, which then says 255."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(agent.wait(), seconds)
