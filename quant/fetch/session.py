"""What ccxt uses of a `requests.Session`, straight on urllib3, which lies under both.

At the 120 answers a second that Bybit allows, requests' own work on each (cookies, hooks, redirects, reading in pieces
of 10 kB with a change of threads after each) is what a core has no time for. Cookies are left out on purpose: threads
would change them under each other's hands. Errors are requests' own, because ccxt looks for those.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, SSLError, TimeoutError

REDIRECTS = 3


class NoCookies:
    """None are kept."""

    def clear(self) -> None:
        return


class Response:
    """Read to its end already."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, errors: Any) -> None:
        self.status_code, self.reason, self.headers = answer.status, answer.reason, answer.headers
        self.content = answer.data
        self.encoding = "utf-8"
        self._errors = errors

    @property
    def text(self) -> str:
        return self.content.decode(self.encoding, "replace")

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise self._errors.HTTPError(f"{self.status_code} {self.reason}")


class Session:
    """Any number of threads may ask; `connections` are kept. `headers` go with every request."""

    def __init__(self, connections: int, headers: Mapping[str, str]) -> None:
        self.cookies, self.headers = NoCookies(), dict(headers)
        self._errors: Any = importlib.import_module("requests.exceptions")
        trusted = importlib.import_module("certifi").where()
        self._pool = urllib3.PoolManager(maxsize=connections, cert_reqs="CERT_REQUIRED", ca_certs=trusted)
        self._retries = urllib3.Retry(
            REDIRECTS, connect=0, read=0, other=0, redirect=REDIRECTS, respect_retry_after_header=False
        )  # asking again is quant.fetch.asking's

    def request(
        self, method: str, url: str, *, data: bytes | None, headers: Mapping[str, str], timeout: float, **_: Any
    ) -> Response:
        """Raises what `requests` raises."""
        try:
            answer = self._pool.request(method, url, body=data, headers=headers, timeout=timeout, retries=self._retries)
        except HTTPError as error:
            raise self._as_requests_says(error) from error
        return Response(answer, self._errors)

    def close(self) -> None:
        self._pool.clear()

    def _as_requests_says(self, error: HTTPError) -> Exception:
        reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        if isinstance(reason, TimeoutError) and not isinstance(reason, NewConnectionError):
            kind = self._errors.Timeout
        else:
            kind = self._errors.SSLError if isinstance(reason, SSLError) else self._errors.ConnectionError
        found: Exception = kind(str(reason))
        return found
