"""Whether the public URL really reaches this machine's webhook: a question through it that only that one can answer.

What the tunnel's own unit says is a small file, so it is read often: a change there is looked into at once, and what is
wrong is told in its words, which name the vendor's error and what to do.
"""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from pathlib import Path

from miner.monitor import ask
from miner.monitor.schedule import Collector
from miner.readings import Reading
from runtime import clock, probe
from runtime.keys import Secret
from runtime.tunnel import state
from runtime.tunnel.state import State

WHOLE, AGAIN = 60.0, 15.0
"""Seconds from one question through the URL to the next: while it leads here, and while it does not."""
PATIENCE, INSPECTOR_PATIENCE = 10.0, 5.0


class Tunnel(Collector):
    """`public`: the URL, `ngrok` for the one that ngrok's inspector on this machine tells, or `unit` for the one that
    the tunnel's own unit tells. `inspector`: its URL; "" where nobody asks one.
    """

    name, every, timeout = "tunnel", 5.0, 30.0

    def __init__(self, public: str, inspector: str, key: Secret, file: Path = state.PATH) -> None:
        self._public = public
        self._inspector = inspector
        self._key = key
        self._file = file
        self._told: State | None = None
        self._due = 0.0
        self._last: list[Reading] = []
        self._known = ""
        self._blamed = ""

    async def collect(self) -> list[Reading]:
        told = await asyncio.to_thread(state.read, self._file)
        if self._last and told == self._told and clock.steady() < self._due:
            return self._last
        self._told, self._blamed = told, _blamed(told, self._blamed)
        silent = await self._silent()
        url, why = await self._looked(silent)
        self._due = clock.steady() + (AGAIN if why or silent else WHOLE)
        self._last = [Reading("tunnel.reaches_us", "", float(not why), (self._blamed or why) if why else url)]
        if self._inspector:
            self._last.append(Reading("tunnel.inspector", "", float(not silent), silent))
        return self._last

    async def _looked(self, silent: str) -> tuple[str, str]:
        """The URL, and why it does not lead here."""
        try:
            url = self._url(silent)
        except ValueError as error:
            return "", str(error)
        if not self._key.reveal():
            return url, self._by_unit()
        try:
            async with asyncio.timeout(PATIENCE):
                return url, await self._problem(url)
        except TimeoutError:
            return url, f"{url} does not answer within {PATIENCE:g} s"
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
            return url, f"{url} does not answer: {said}"

    def _url(self, silent: str) -> str:
        """Raises ValueError. An inspector that hangs does not hide a URL that is known already."""
        if self._public not in ("ngrok", "unit"):
            return self._public
        url = (self._told.url if self._told else "") or self._known
        if url:
            return url
        if self._public == "unit":
            raise ValueError(
                "the tunnel's unit has told no URL yet" if self._told else "the tunnel's unit does not run"
            )
        raise ValueError(silent or "ngrok runs, and has no tunnel")

    def _by_unit(self) -> str:
        """Without the operator's key nobody can prove where the URL leads: the unit's word is all there is."""
        standing = self._told.state if self._told else "stopped"
        return "" if standing == "up" else f"the tunnel is {standing}"

    async def _silent(self) -> str:
        """Why the inspector says nothing, or ""; what it says is kept."""
        if not self._inspector:
            return ""
        try:
            async with asyncio.timeout(INSPECTOR_PATIENCE):
                found = (await ask.get(f"{self._inspector}/api/tunnels")).json().get("tunnels", [])
        except TimeoutError:
            return f"ngrok's inspector hangs: no answer from {self._inspector} within {INSPECTOR_PATIENCE:g} s"
        except (OSError, ValueError):
            return f"ngrok's inspector does not answer at {self._inspector}"
        urls = sorted((str(one.get("public_url", "")) for one in found), reverse=True)  # https before http
        self._known = urls[0].rstrip("/") if urls else ""
        return ""

    async def _problem(self, url: str) -> str:
        sent, wanted = probe.question(self._key)
        # ngrok's free plan puts a page of its own before a browser's first visit, unless it is asked not to.
        headers = {probe.HEADER: sent, "ngrok-skip-browser-warning": "1"}
        answer = await ask.get(f"{url}/health", headers)
        given = answer.headers.get(probe.HEADER.lower(), "")
        if compare_digest(given.encode(), wanted.encode()):
            return ""
        if answer.status >= 500:
            return f"{url} answers {answer.status}: the tunnel is there, and nobody at its end"
        return f"{url} leads to something else: it cannot prove that it has this webhook's key"


def _blamed(told: State | None, before: str) -> str:
    """What the tunnel's own unit tells: the vendor's error in words, and what to do. A new try does not refute it."""
    if told is None or told.state == "up":
        return ""
    return (told.why + (f" -> {told.hint}" if told.hint else "")) if told.why else before
