"""`./inv alert.test`: a TV_TEST alert through the real endpoint, and where it went.

The request goes through the SSH connection to the address that the service listens on, so it works for a host that
shows nothing to the network, and the key is in no command line on either side.
"""

from __future__ import annotations

import http.client
import json
import secrets
import sys
import time
from typing import Any

from ops import deploy as deploying
from ops.errors import OpsError
from ops.inventory import Host
from ops.report import Report
from ops.wire import connect

ROLE = "webhook"
WAIT = 10.0
"""Seconds that the journal may lag behind the answer."""


class _Tunnel(http.client.HTTPConnection):
    """HTTP over a direct-tcpip channel of an open SSH connection."""

    def __init__(self, connection: Any, host: str, port: int) -> None:
        super().__init__(host, port, timeout=WAIT)
        self._connection = connection

    def connect(self) -> None:
        place = (self.host, self.port)
        self.sock = self._connection.transport.open_channel("direct-tcpip", place, ("127.0.0.1", 0), timeout=WAIT)
        self.sock.settimeout(WAIT)


def alert_test(host: Host) -> None:
    """Sends one alert, then follows it into the store and the journal; OpsError says where it stopped."""
    report = Report()
    if ROLE not in host.roles:
        raise OpsError(f"{host.name} has no role {ROLE}, so it takes no alerts")
    config: Any = deploying.resolved(host, report)[ROLE]
    connection = connect(deploying.target_of(host))
    try:
        _follow(host, config, connection)
    finally:
        connection.close()


def _follow(host: Host, config: Any, connection: Any) -> None:
    reason = f"alert.test {secrets.token_hex(4)}"
    alert = {"key": config.webhook_key.get_secret_value(), "engine": "TV_TEST", "signal": "BUY", "symbol": "BTCUSDT.P"}
    start = time.perf_counter()
    answer = _ask(
        host,
        config,
        connection,
        "POST",
        "/tv",
        alert | {"tf": "60", "price": 111, "tp": 222, "sl": 0, "reason": reason},
    )
    _say(f"POST /tv       200 in {(time.perf_counter() - start) * 1000:.0f} ms: {json.dumps(answer)}")
    events = _ask(host, config, connection, "GET", "/api/events?limit=20")["events"]
    event = next((event for event in events if event.get("reason") == reason), None)
    if event is None:
        raise OpsError(f"{host.name}: the alert was answered but is not in /api/events", hint=_look(host))
    _say(f"stored         {json.dumps({key: event[key] for key in event if key != 'payload'}, ensure_ascii=False)}")
    _say("journal.md     " + _journalled(host, connection, reason).replace("\n", "\n               "))


def _ask(host: Host, config: Any, connection: Any, method: str, path: str, body: Any = None) -> Any:
    listen = "127.0.0.1" if config.listen in ("0.0.0.0", "::") else config.listen  # noqa: S104 - compared, not bound
    tunnel = _Tunnel(connection, listen, config.port)
    try:
        tunnel.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = tunnel.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except Exception as error:
        raise OpsError(
            f"{host.name}: {method} {path} got no answer: {str(error) or type(error).__name__}", hint=_look(host)
        ) from error
    finally:
        tunnel.close()
    if answer.status != http.client.OK:
        raise OpsError(f"{host.name}: {method} {path} answered {answer.status} {text[:300]}", hint=_look(host))
    return json.loads(text)


def _journalled(host: Host, connection: Any, reason: str) -> str:
    """The entry as it stands in the log book, found by its reason."""
    end = time.monotonic() + WAIT
    sudo = "" if connection.user == "root" else "sudo -n "
    while time.monotonic() < end:
        found = connection.run(
            f"{sudo}grep -n -B8 -F '{reason}' /opt/trading/journal.md", hide=True, warn=True, in_stream=False
        )
        if found.ok:
            heading = next(line for line in found.stdout.splitlines() if "## " in line)
            number, _, text = heading.partition("-")
            return f"line {number}: {text}"
        time.sleep(0.2)
    raise OpsError(f"{host.name}: the alert is stored but not in journal.md after {WAIT:.0f} s", hint=_look(host))


def _look(host: Host) -> str:
    return f"./inv logs --host {host.name} --unit tv-webhook.service"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
