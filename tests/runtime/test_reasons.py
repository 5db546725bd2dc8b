"""Why an alert was not simply opened, in French: every reason that the code can give is in the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import moment, payload, settings
from runtime.router import bars, guards
from runtime.router.words import FR, said
from runtime.store import Store, tables
from runtime.webhook import alert
from runtime.webhook.pipeline import Pipeline
from tests.runtime.test_batch import MOVES, moves, together

SAME = {"stop"}  # as in English

READ = [
    ("USDTM holds the lock since 2026-11-27 01:08:48 UTC", "USDTM tient le verrou depuis 2026-11-27 01:08:48 UTC"),
    ("repeats event 12", "répète l'alerte 12"),
    ("closed 2 at the stop and 1 at the target, marked 3", "clôturés : 2 au stop et 1 à l'objectif, marqués : 3"),
    ("GOLD is long only, and no trade is open on XAU", "GOLD ne prend que long, et aucun trade n'est ouvert sur XAU"),
    (
        "reversed, and held back by max_trades_day: 3 of 3 trades today; news: blackout: NFP",
        "retourné, et retenu par max_trades_day : 3 trades sur 3 aujourd'hui ; news : annonce : NFP",
    ),
    ("checklist: 1 of 3 confirmed; missing: plan, news", "checklist : 1 sur 3 confirmés ; manquent : plan, news"),
    ("day_stop: -2 R today, the day stops at -2 R", "day_stop : -2 R aujourd'hui, la journée s'arrête à -2 R"),
    (
        "pause: everything is paused since 2026-01-01 10:00 UTC until 2026-01-01 11:00 UTC: lunch; back: soon",
        "pause : tout est en pause depuis 2026-01-01 10:00 UTC jusqu'à 2026-01-01 11:00 UTC : lunch ; back : soon",
    ),
    ("pause: GOLD is paused since 2026-01-01 10:00 UTC", "pause : GOLD est en pause depuis 2026-01-01 10:00 UTC"),
    ("sl: 2040 must be below the price 2030 for a BUY", "sl : 2040 doit être en dessous du prix 2030 pour un BUY"),
    ("sl: is needed: GOLD is sized by its stop", "sl : est nécessaire : GOLD est dimensionné par son stop"),
    ("nothing that anybody ever says", "nothing that anybody ever says"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("english", "french"), READ)
def test_what_is_read(english: str, french: str) -> None:
    assert said(english, "fr") == french
    assert said(english, "en") == english


def test_no_hole_is_lost() -> None:
    for english, french in FR.items():
        holes = {part.partition("}")[0] for part in english.split("{")[1:]}
        assert holes == {part.partition("}")[0] for part in french.split("{")[1:]}, english


def constants(module: ModuleType) -> Iterator[str]:
    """What Invalid is made with, and what the guards yield, with 7 for each value."""
    assert module.__file__ is not None
    for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
        given: list[Any] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Invalid":
            given = node.args[1:]
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            given = node.value.elts[1:]
        for one in given:
            if isinstance(one, ast.Constant):
                yield str(one.value)
            elif isinstance(one, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in one.values)


CHOSEN = {"expected 7"}  # from a list of words; each list has a sentence of its own, see below
INSIDE = {"7 must be 7 the price 7 for a 7", "7 % below 7, at most 7 %", "7 % 7, at least 7 %"}  # 7 stands for words


@pytest.mark.parametrize("module", [alert, payload, moment, bars, guards])
def test_every_reason_in_the_code_is_in_the_table(module: ModuleType) -> None:
    found = set(constants(module)) - CHOSEN - INSIDE
    assert found
    assert [text for text in found if said(text, "fr") == text] == []


@pytest.mark.parametrize("field", ["signal", "event_type"])
def test_a_choice_is_named_in_french(field: str) -> None:
    body = {"engine": "X", "signal": "BUY", "symbol": "S", "tf": "1", "price": 1} | {field: "no"}
    with pytest.raises(payload.Invalid) as caught:
        alert.read(body)
    assert said(str(caught.value), "fr").startswith(f"{field} : attendu : ")
    assert " or " not in said(str(caught.value), "fr")


@given(st.lists(MOVES, min_size=1, max_size=14))
def test_every_decision_has_its_words(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]) -> None:
    folder = tmp_path_factory.mktemp("reasons")
    env = {
        "TV_WEBHOOK_KEY": "key-of-the-tests",
        "OPS_ADMIN_KEY": "ops-key-of-the-tests",
        "TRADING_STATE_DIR": str(folder),
    }
    pipeline, store = Pipeline(settings.webhook(env)), Store(folder / "webhook.db", tables.SCHEMA)
    results = together(store, pipeline, list(moves(pipeline, steps)))
    store.close()
    for one in results:
        assert one is not None
        assert said(one.decision.reason, "fr") != one.decision.reason
