"""Whether the public URL really reaches this machine's webhook: a question through it that only that one can answer."""

from __future__ import annotations

from hmac import compare_digest

from miner.monitor import ask
from miner.monitor.schedule import Collector
from miner.readings import Reading
from runtime import probe
from runtime.keys import Secret
from runtime.tunnel import state


class Tunnel(Collector):
    """`public`: the URL, or `ngrok` for the one that ngrok's inspector on this machine tells."""

    name, every, timeout = "tunnel", 60.0, 15.0

    def __init__(self, public: str, inspector: str, key: Secret) -> None:
        self._public = public
        self._inspector = inspector
        self._key = key

    async def collect(self) -> list[Reading]:
        try:
            url = await self._url()
            why = await self._problem(url)
        except (OSError, ValueError) as error:
            url, why = "", getattr(error, "strerror", None) or str(error)[:200]
        return [Reading("tunnel.reaches_us", "", float(not why), f"{why}{_agent_says()}" if why else url)]

    async def _url(self) -> str:
        if self._public != "ngrok":
            return self._public
        try:
            found = (await ask.get(f"{self._inspector}/api/tunnels")).json().get("tunnels", [])
        except OSError as error:
            raise ValueError(f"ngrok's inspector does not answer at {self._inspector}") from error
        urls = sorted((str(one.get("public_url", "")) for one in found), reverse=True)  # https before http
        if not urls or not urls[0]:
            raise ValueError("ngrok runs, and has no tunnel")
        return urls[0].rstrip("/")

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


def _agent_says() -> str:
    """What the tunnel's own unit tells: the vendor's error in words, and what to do."""
    told = state.read()
    if told is None or told.state == "up" or not told.why:
        return ""
    return f"; {told.why}" + (f" -> {told.hint}" if told.hint else "")
