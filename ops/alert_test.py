"""`./inv alert.test`: a TV_TEST alert through the real endpoint, and where it went."""

from __future__ import annotations

import json
import secrets
import sys
import time

from ops import service_call
from ops.errors import OpsError
from ops.inventory import Host
from ops.service_call import Service

WAIT = 10.0
"""Seconds that the journal may lag behind the answer."""


def alert_test(host: Host) -> None:
    """Sends one alert, then follows it into the store and the journal; OpsError says where it stopped."""
    with service_call.webhook(host) as webhook:
        _follow(webhook)


def _follow(webhook: Service) -> None:
    reason = f"alert.test {secrets.token_hex(4)}"
    alert = {"engine": "TV_TEST", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60", "price": 111, "tp": 222, "sl": 0}
    alert |= {"key": webhook.config.webhook_key.get_secret_value(), "reason": reason}
    start = time.perf_counter()
    answer = webhook.ask("POST", "/tv", alert)
    _say(f"POST /tv       200 in {(time.perf_counter() - start) * 1000:.0f} ms: {json.dumps(answer)}")
    events = webhook.ask("GET", "/api/events?limit=20")["events"]
    event = next((event for event in events if event.get("reason") == reason), None)
    if event is None:
        raise OpsError(f"{webhook.host.name}: the alert was answered but is not in /api/events", hint=webhook.look)
    _say(f"stored         {json.dumps({key: event[key] for key in event if key != 'payload'}, ensure_ascii=False)}")
    _say("journal.md     " + _journalled(webhook, reason).replace("\n", "\n               "))


def _journalled(webhook: Service, reason: str) -> str:
    """The entry as it stands in the log book, found by its reason."""
    end, connection = time.monotonic() + WAIT, webhook.connection
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
    why = f"{webhook.host.name}: the alert is stored but not in journal.md after {WAIT:.0f} s"
    raise OpsError(why, hint=webhook.look)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
