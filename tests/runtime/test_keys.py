"""Several keys by name: what the environment may say, which of them opens, and changing one while alerts come in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from runtime import clock, settings
from runtime.auth import Forbidden, Keyring
from runtime.keys import Key, Secret
from runtime.webhook.app import Webhook
from tests.runtime.outbox_kit import delivering

Make = Callable[..., dict[str, Any]]
OLD, NEW = "the old key of tests", "the old key of tests, and more of it €"


def keys(**ends: str | None) -> str:
    values = {"old": OLD, "new": NEW}
    return json.dumps({name: {"key": values[name], "expires": end} for name, end in ends.items()})


def test_the_name_of_a_key_is_known_and_its_end_counts_to_the_moment() -> None:
    end = clock.from_iso("2026-12-31T00:00:00+00:00")
    ring = Keyring([Key("default", Secret(NEW)), Key("old", Secret(OLD), end)])
    assert ring.check(OLD, end - timedelta(microseconds=1)) == "old"
    assert ring.check(NEW, end) == "default"
    for wrong, now in ((OLD, end), ("", end), (None, end), ("\ud800", end), (OLD + " ", end)):
        with pytest.raises(Forbidden):
            ring.check(wrong, now)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"a": "text of a secret"}', "a:"),
        ('{"a": {"key": "short"}}', "a: expected a key of at least 12"),
        ('{"a": {"key": "long enough a key", "until": null}}', "a:"),
        ('{"a": {"key": "long enough a key", "expires": "2026-12-31"}}', "a: expires"),
        ('{"a": {"key": "long enough a key", "expires": 5}}', "a: expires"),
        ('{"a": {"key": "long enough a key"}, "a": {"key": "long enough, too"}}', "twice"),
        ('{"default": {"key": "long enough a key"}}', "'default'"),
        ('{"a b": {"key": "long enough a key"}}', "'a b'"),
        ('{"a": {"key": "long enough a key"}, "b": {"key": "long enough a key"}}', "a and b"),
        (json.dumps({"a": {"key": "clé-of-the-tests-€"}}), "default and a"),
    ],
)
def test_wrong_keys_stop_the_start_by_their_name_and_no_value_is_told(
    environ: dict[str, str], text: str, named: str
) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.webhook(environ | {"TV_WEBHOOK_KEYS": text})
    said = str(caught.value)
    assert said.startswith("TV_WEBHOOK_KEYS: ")
    assert named in said
    assert not any(word in said for word in ("long enough", "short", "text of a", "clé"))


def test_no_keys_value_is_kept_whichever_of_them_came(
    environ: dict[str, str], alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    environ["TV_WEBHOOK_KEYS"] = keys(old="2020-01-01T00:00:00+00:00", new=None)
    said = {"reason": f"{OLD} {NEW}", "note": {NEW: [OLD, alert()["key"]]}}
    with TestClient(Webhook(settings.webhook(environ)).app) as client, delivering(environ):
        assert client.post("/tv", json=alert(key=NEW, **said)).status_code == 200
        assert client.post("/tv", json=alert(key=NEW, **said, price=NEW)).status_code == 400
        wait_until(lambda: client.get("/api/state").json()["journal_pending"] == 0)
    for path in (journal, *Path(environ["TRADING_STATE_DIR"]).iterdir()):
        data = path.read_bytes()
        for value in (OLD, NEW, alert()["key"]):
            assert value.encode() not in data
            assert json.dumps(value)[1:-1].encode() not in data
    assert "[key] [key]" in journal.read_text()


def test_a_key_is_changed_while_alerts_come_in(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Callable[..., None]
) -> None:
    """Step by step as the runbook has it: both open, the senders move, the old one ends by itself."""
    end = clock.now() + timedelta(seconds=12)  # a start on a busy machine takes a while
    environ["TV_WEBHOOK_KEYS"] = keys(old=clock.iso(end), new=None)
    running = service().start()
    with httpx.Client(base_url=running.url) as client:

        def send(key: str, number: int) -> int:
            return client.post("/tv", json=alert(key=key, id=number)).status_code

        assert [send(OLD, 1), send(NEW, 2), send(alert()["key"], 3)] == [200, 200, 200]
        wait_until(lambda: clock.now() > end, 20)
        assert [send(OLD, 4), send(NEW, 5)] == [403, 200]
        seen = [(event["id"], event["_key"]) for event in client.get("/api/events").json()["events"]]
    assert seen == [(5, "new"), (3, "default"), (2, "new"), (1, "old")]
    running.stop()
    said = "".join(running.said)
    assert f"the key old expired on {clock.iso(end)}" in said
    assert OLD not in said
