"""What this service asks of the others on this machine, over HTTP, and never for long."""

from __future__ import annotations

from typing import Any

import httpx

from runtime.keys import Secret
from runtime.payload import Json

TIMEOUT_SECONDS = 3.0
WEBHOOK, MONITOR = "tv-webhook", "miner-monitor"
Names = dict[str, Any]


class Silent(Exception):
    """The service of this name does not answer."""


class Strange(Exception):
    """It answered something else than what was hoped for."""

    def __init__(self, service: str, status: int, error: str) -> None:
        super().__init__(f"{service} answered {status}: {error}")
        self.service, self.status, self.error = service, status, error


class Services:
    """tv-webhook, perf and the monitor. Raises Silent, Strange."""

    def __init__(self, webhook: str, perf: str, monitor: str, ops_key: Secret) -> None:
        urls = {WEBHOOK: webhook, "perf": perf, MONITOR: monitor}
        self._urls = {name: url.rstrip("/") for name, url in urls.items()}
        self._ops_key = ops_key
        # The environment's proxy is for the internet; these are on this machine.
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)

    @property
    def may_change(self) -> bool:
        return bool(self._ops_key.reveal())

    async def get(self, service: str, path: str, **params: Any) -> Json:
        return await self._ask(service, "GET", path, params={k: v for k, v in params.items() if v is not None})

    async def order(self, path: str, body: Names | None = None, service: str = WEBHOOK) -> Json:
        """Have a service change something, in the operator's name."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return await self._ask(service, "POST", path, json={"ops_key": self._ops_key.reveal(), **given})

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, service: str, method: str, path: str, **options: Any) -> Json:
        try:
            answer = await self._client.request(method, self._urls[service] + path, **options)
        except httpx.HTTPError:
            raise Silent(service) from None  # the request it holds has the operator's key in it
        try:
            found = answer.json()
        except ValueError:
            found = None
        if answer.is_success and isinstance(found, dict):
            return found
        error = found.get("error", "") if isinstance(found, dict) else "not JSON"
        raise Strange(service, answer.status_code, str(error)[:200])
