"""A request to a host's webhook or monitor, through the SSH connection.

It goes to the address that the service listens on, so it works for a host that shows nothing to the network, and no key
is in a command line on either side.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops import deploy as deploying
from ops.errors import OpsError
from ops.inventory import Host
from ops.report import Report
from ops.wire import connect

WAIT = 10.0
"""Seconds for an answer."""


class _Tunnel(http.client.HTTPConnection):
    """HTTP over a direct-tcpip channel of an open SSH connection."""

    def __init__(self, connection: Any, host: str, port: int) -> None:
        super().__init__(host, port, timeout=WAIT)
        self._connection = connection

    def connect(self) -> None:
        place = (self.host, self.port)
        self.sock = self._connection.transport.open_channel("direct-tcpip", place, ("127.0.0.1", 0), timeout=WAIT)
        self.sock.settimeout(WAIT)


@dataclass(frozen=True)
class Service:
    """A host's service as its role describes it, over an open SSH connection."""

    host: Host
    config: Any
    connection: Any
    unit: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a 200. Raises OpsError with what was answered instead."""
        status, text = self._answer(method, path, body)
        if status != http.client.OK:
            raise OpsError(f"{self.host.name}: {method} {path} answered {status} {said(text)}", hint=self.look)
        return json.loads(text)

    def operate(self, path: str, body: Any) -> Any:
        """An operator's request, with the key that the role's setting `ops_key` holds."""
        key = self.config.ops_key
        if key is None:
            why = f"{self.host.name}: its {self.unit} knows no operator's key, so nobody can change anything there"
            raise OpsError(why, hint="set ops_key in the role's settings, and deploy")
        return self.ask("POST", path, body | {"ops_key": key.get_secret_value(), "by": "task"})

    @property
    def look(self) -> str:
        return f"./inv logs --host {self.host.name} --unit {self.unit}"

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, str]:
        everywhere = self.config.listen in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        tunnel = _Tunnel(self.connection, "127.0.0.1" if everywhere else self.config.listen, self.config.port)
        try:
            tunnel.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            answer = tunnel.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except Exception as error:
            why = f"{self.host.name}: {method} {path} got no answer: {str(error) or type(error).__name__}"
            raise OpsError(why, hint=self.look) from error
        finally:
            tunnel.close()


@contextmanager
def webhook(host: Host) -> Iterator[Service]:
    """The host's webhook, while the connection is open. Raises OpsError when the host has none."""
    with _service(host, "webhook", "tv-webhook.service", "so it takes no alerts") as found:
        yield found


@contextmanager
def monitor(host: Host) -> Iterator[Service]:
    """The host's monitor, while the connection is open. Raises OpsError when the host has none."""
    with _service(host, "monitor", "miner-monitor.service", "so nothing is missed there") as found:
        yield found


@contextmanager
def _service(host: Host, role: str, unit: str, lacking: str) -> Iterator[Service]:
    if role not in host.roles:
        raise OpsError(f"{host.name} has no role {role}, {lacking}")
    config: Any = deploying.resolved(host, Report())[role]
    connection = connect(deploying.target_of(host))
    try:
        yield Service(host, config, connection, unit)
    finally:
        connection.close()


def said(text: str) -> str:
    """A refusal's own words, or the beginning of whatever came instead."""
    try:
        answer = json.loads(text)
        return str(answer["error"])[:300]
    except (ValueError, KeyError, TypeError):
        return text[:300]
