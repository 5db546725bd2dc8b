"""`./inv trading.*` against a real webhook; only the SSH connection between is a plain socket here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from ops import service_call, trading
from ops.errors import OpsError
from ops.service_call import Service
from tests.ssh_kit import CONNECTION

GUARDS = {"engines": {"GOLD_CFD_LONG": {"checklist": ["dxy", "news"], "max_trades_day": 2}}}


@pytest.fixture
def host(
    service: Callable[[], Any], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": GUARDS}))
    started = service().start()
    config = SimpleNamespace(
        listen="0.0.0.0",  # noqa: S104 - as an inventory says it
        port=urlsplit(started.url).port,
        ops_key=SecretStr(environ["OPS_ADMIN_KEY"]),
    )
    there = SimpleNamespace(name="desk", roles=("webhook",), config=config)

    @contextmanager
    def webhook(one: Any) -> Iterator[Service]:
        yield Service(one, one.config, CONNECTION, "tv-webhook.service")

    monkeypatch.setattr(service_call, "webhook", webhook)
    yield there


def test_a_day_at_the_desk(host: Any, capsys: pytest.CaptureFixture[str], environ: dict[str, str]) -> None:
    assert trading.guards(host, json=False) == 1
    said = capsys.readouterr().out
    assert "GOLD_CFD_LONG    REFUSED" in said
    assert "refuse: checklist (GOLD_CFD_LONG): 0 of 2 confirmed; missing: dxy, news" in said
    assert "COINM_SHORT      opens" in said
    trading.confirm(host, "dxy, news", "GOLD_CFD_LONG", "4")
    assert "desk: GOLD_CFD_LONG confirmed dxy, news, at most until 20" in capsys.readouterr().out
    assert trading.guards(host, json=True) == 0
    assert json.loads(capsys.readouterr().out)["engines"]["GOLD_CFD_LONG"]["opens"] is True
    trading.pause(host, "GOLD_CFD_LONG", "30", "dentist")
    trading.pause(host, None, None, "")
    trading.resume(host, "GOLD_CFD_LONG")
    trading.resume(host, None)
    trading.resume(host, None)
    trading.reset(host, None)
    said = capsys.readouterr().out
    for line in ("desk: GOLD_CFD_LONG paused since 20", "desk: everything paused since 20", "./inv trading.resume",
                 "desk: GOLD_CFD_LONG resumed", "everything is still paused", "desk: everything resumed",
                 "desk: everything was not paused", "desk: everything counts from zero; before: null"):  # fmt: skip
        assert line in said
    assert environ["OPS_ADMIN_KEY"] not in said


def test_a_mistake_is_told_in_the_services_words(host: Any, environ: dict[str, str]) -> None:
    with pytest.raises(
        OpsError, match=r"answered 400 scope: 'GOLD_CFD_LNG' is no engine; did you mean GOLD_CFD_LONG"
    ) as caught:
        trading.pause(host, "GOLD_CFD_LNG", None, "")
    assert caught.value.hint == "./inv logs --host desk --unit tv-webhook.service"
    host.config.ops_key = SecretStr("another one")
    with pytest.raises(OpsError, match="answered 403 forbidden"):
        trading.resume(host, None)
    host.config.port = 9
    with pytest.raises(OpsError, match="got no answer"):
        trading.resume(host, None)
