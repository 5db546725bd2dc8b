"""tv-telegram on PostgreSQL, where several hosts may run one: each thing is told once, and another takes over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from miner.alerts.handover import deliver
from miner.alerts.notices import Notice
from runtime import clock
from runtime.keys import Secret
from tests.fakes.telegram import Telegram
from tests.runtime.test_telegram import Make, Wait, bot, names, reply, resident, send, telegram, told, webhook
from tests.runtime.test_telegram import test_a_reset_is_asked_back_and_done_once as test_a_reset_is_asked_back

__all__ = ["bot", "telegram", "test_a_reset_is_asked_back", "webhook"]


@pytest.fixture
def environ(environ: dict[str, str], database: str) -> dict[str, str]:
    return environ | {"STORE_URL": database}


def test_of_two_one_tells_and_listens_and_the_other_takes_over(
    service: Callable[..., Any], webhook: Any, telegram: Telegram, alert: Make, wait_until: Wait
) -> None:
    leader = service("runtime.telegram").start()
    wait_until(lambda: telegram.menu)
    other = service("runtime.telegram").start()
    send(webhook, alert, *names(0, 5))
    wait_until(lambda: len(told(telegram)) >= 5)
    time.sleep(1.5)
    assert told(telegram) == names(0, 5)
    assert resident(leader) <= 90
    leader.kill()
    send(webhook, alert, *names(5, 5))
    wait_until(lambda: len(told(telegram)) >= 10, 20)
    assert told(telegram) == names(0, 10)
    reply(telegram, wait_until, "/lock", "Verrou libre")
    assert other.stop() == 0


def test_monitors_of_several_hosts_hand_over_to_one_server_each_key_once(
    service: Callable[..., Any], telegram: Telegram, environ: dict[str, str], wait_until: Wait
) -> None:
    service("runtime.telegram").start()
    wait_until(lambda: telegram.menu)
    place = Secret(environ["STORE_URL"])
    for text, host in (("n001", "rig"), ("n001", "rig"), ("n002", "barn"), ("n002", "barn")):
        deliver(place, [Notice(text, clock.iso(clock.now()), host, "firing", "warning", text)])
    wait_until(lambda: len(told(telegram)) >= 2)
    time.sleep(1.5)
    assert told(telegram) == ["n001", "n002"]
    assert "barn · " in telegram.text
