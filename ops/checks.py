"""What a host is asked: checks, which must hold for a deploy to stand, and looks, which tell how services stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ops.errors import OpsError


@dataclass(frozen=True)
class Check:
    """Part of the health gate: polled after everything is applied, until it holds or `within` seconds are over."""

    kind: str
    unit: str = ""
    url: str = ""
    status: int = 200
    within: float = 10
    container: str = ""

    def json(self, role: str) -> dict[str, Any]:
        shown = {"role": role, "kind": self.kind, "unit": self.unit, "status": self.status, "within": self.within}
        if self.kind == "docker":
            return {**shown, "container": self.container}
        if self.kind != "http":
            return shown
        parts = urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        place = {"host": parts.hostname, "port": parts.port or 80, "path": path}
        return {**shown, "url": self.url, **place}


def http(url: str, *, unit: str, status: int = 200, within: float = 10) -> Check:
    """`url` answers `status`; when it does not, the last lines of `unit`'s log are shown."""
    if not url.startswith("http://"):
        raise OpsError(
            f"a check of {url}: the agent asks over plain http only", hint="check the unit with active() instead"
        )
    return Check("http", unit, url, status, within)


def active(unit: str, *, within: float = 10) -> Check:
    """`unit` is active."""
    return Check("unit", unit, within=within)


def docker(unit: str, *, container: str = "", within: float = 12) -> Check:
    """Docker's daemon answers; with `container`, that one runs, and has for some seconds without a restart."""
    return Check("docker", unit, container=container, within=within)


@dataclass(frozen=True)
class Look:
    """Where a role's service tells how it stands, as JSON. Its name says how that is read (ops/doctor/told.py).

    A `file` is shown by status too; a `url` of the host's own, or a program of the release (`module` and its `words`,
    as user trading with the service's environment file `env`, or as root without one), is asked by doctor alone.
    """

    name: str
    file: str = ""
    url: str = ""
    module: str = ""
    words: tuple[str, ...] = ()
    env: str = ""
