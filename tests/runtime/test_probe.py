"""A signed question to the webhook: only one who has the key is answered, and only one who has it can answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from runtime import probe
from runtime.keys import Secret

KEY, OTHER = Secret("the operator's key"), Secret("the operator's other key")


def test_a_question_is_answered_by_whoever_has_the_key() -> None:
    sent, wanted = probe.question(KEY)
    assert probe.answer(KEY, sent) == wanted
    assert probe.answer(OTHER, sent) is None
    assert KEY.reveal() not in sent + wanted


def test_each_question_is_another_one() -> None:
    assert probe.question(KEY) != probe.question(KEY)


def test_strangers_are_not_answered() -> None:
    sent, wanted = probe.question(KEY)
    nonce = sent.partition(".")[0]
    for given in (None, "", nonce, f"{nonce}.{wanted}", sent.upper(), f"{sent} ", probe.question(OTHER)[0]):
        assert probe.answer(KEY, given) is None
    assert probe.answer(Secret(""), probe.question(Secret(""))[0]) is None, "a service without a key proves nothing"


def test_the_webhook_answers_at_health(service: Callable[..., Any], environ: dict[str, str]) -> None:
    running = service().start()
    sent, wanted = probe.question(Secret(environ["OPS_ADMIN_KEY"]))
    assert httpx.get(f"{running.url}/health", headers={probe.HEADER: sent}).headers[probe.HEADER] == wanted
    stranger, _ = probe.question(OTHER)
    for headers in ({}, {probe.HEADER: stranger}):
        answer = httpx.get(f"{running.url}/health", headers=headers)
        assert probe.HEADER not in answer.headers and answer.json()["ok"]
