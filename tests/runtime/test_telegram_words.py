"""What the bot says: the right things, together, never too long, and nothing a stranger wrote does anything."""

from __future__ import annotations

import asyncio
import json
import string
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from runtime import clock
from runtime.keys import Secret
from runtime.settings import SettingsError
from runtime.store import Store, tables
from runtime.telegram import commands, progress
from runtime.telegram.answers import Answers, age
from runtime.telegram.commands import Command, Commander, parse
from runtime.telegram.compose import STORM, compose, merged
from runtime.telegram.feed import Feed
from runtime.telegram.line import Later, Moved, Refused, meaning
from runtime.telegram.news import Item, Teller, kind_of_event
from runtime.telegram.services import Services
from runtime.telegram.settings import KINDS, load
from runtime.telegram.text import LONGEST, code, fit, number, units
from runtime.telegram.words import EN, FR, Words
from tests.fakes.telegram import TOKEN, Shown

WORDS = Words("fr")
TELLER = Teller(WORDS, ZoneInfo("America/Montreal"))
NOW = clock.from_iso("2026-03-04T15:00:00+00:00")
START = {"events": 0, "controls": 0, "resets": 0, "health": 0}
DAY = 86_400.0


def event(**changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(("price", "tp", "sl", "reason_text", "guards", "qty", "risk_usd"))
    row |= {"id": 1, "ts": clock.iso(NOW), "engine": "GOLD_CFD_LONG", "signal": "BUY", "symbol": "XAUUSD", "tf": "15"}
    return row | {"reason": "", "outcome": "opened", "status": 200, "event_type": "SIGNAL"} | changes


def trade(**changes: Any) -> dict[str, Any]:
    row = {"engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "side": "LONG", "entry": 2000.0, "exit": 2010.0}
    return row | {"pnl": 30.0, "r": 2.0, "closed_why": "target", "closed_by": 1} | changes


def news(count: int, *, html: str = "x", ago: float = 0.0, kind: str = "opened") -> list[Item]:
    ts = clock.iso(NOW - timedelta(seconds=ago))
    return [Item("events", n, ts, kind, html) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "opened"),
        ({"outcome": None, "status": None}, "signals"),
        ({"outcome": "recorded"}, "signals"),
        ({"outcome": "recorded", "engine": "TEST_1"}, "tests"),
        ({"outcome": "recorded", "event_type": "BAR"}, "updates"),
        ({"outcome": "locked", "status": 409}, "refused"),
        ({"outcome": "guarded", "status": 200}, "refused"),
        ({"outcome": "invalid", "status": 400}, "refused"),
        ({"outcome": "duplicate", "engine": "TV_TEST"}, "duplicates"),
        ({"outcome": "updated"}, "updates"),
        ({"outcome": "closed"}, "closed"),
        ({"outcome": "a later release's"}, "ignored"),
    ],
)
def test_every_event_is_of_one_kind(changes: dict[str, Any], kind: str) -> None:
    assert kind_of_event(event(**changes)) == kind
    assert kind in KINDS


def test_an_opening_says_at_what_and_how_much() -> None:
    html = TELLER.event(event(price=2000.0, sl=1995.0, tp=2010.5, qty=3.0, risk_usd=15.0, reason="breakout")).html
    for words in ("OUVERT", "entrée 2000", "SL 1995", "TP 2010.5", "qté 3", "risque 15 USD", "04/03 10:00", "breakout"):
        assert words in html


def test_a_closing_says_what_came_of_it() -> None:
    won = TELLER.event(event(outcome="closed"), [trade()]).html
    for words in ("✅", "FERMÉ", "2000 → 2010", "+2.00 R", "+30.00 USD", "objectif"):
        assert words in won
    assert "❌" in TELLER.event(event(outcome="closed"), [trade(pnl=-15.0, r=-1.0)]).html
    unknown = TELLER.event(event(outcome="closed"), [trade(pnl=None, r=None, exit=None, closed_why=None)]).html
    assert " R" not in unknown
    many = TELLER.event(event(outcome="closed"), [trade() for _ in range(60)]).html
    assert "+54" in many
    assert units(many) < LONGEST


def test_a_refusal_says_why_and_a_guard_that_only_warns_is_told() -> None:
    refused = TELLER.event(event(outcome="locked", status=409, reason_text="USDTM holds the lock since 9 UTC")).html
    assert "REFUSÉ</b> (verrou)" in refused
    assert "USDTM tient le verrou depuis 9 UTC" in refused
    said = [{"guard": "losing_streak", "scope": "*", "mode": "enforce", "effect": "halve", "text": "3 losses"}]
    assert "losing_streak : 3 losses" in TELLER.event(event(guards=json.dumps(said))).html
    for broken in ("{", "[1]", "7", '[{"guard": 1}]'):
        TELLER.event(event(guards=broken))


def test_english_is_as_complete_as_french() -> None:
    assert FR.keys() == EN.keys()
    fields = string.Formatter()
    for name in FR:
        french, english = ({field for _, field, _, _ in fields.parse(table[name]) if field} for table in (FR, EN))
        assert french == english, name
    assert {f"n_{kind}" for kind in KINDS} <= FR.keys()


HOSTILE = "</code><b>@everyone</b> <a href='https://e.vil'>x</a> & /reset\u202e\x00\n## "


def test_what_a_stranger_wrote_is_inert() -> None:
    names = dict.fromkeys(("engine", "signal", "symbol", "tf", "reason", "reason_text"), HOSTILE)
    for item in (
        TELLER.event(event(**names, outcome="locked", status=409)),
        TELLER.event(event(**names), [trade(engine=HOSTILE, symbol=HOSTILE, side=HOSTILE, closed_why=HOSTILE)]),
        TELLER.reset({"id": 1, "ts": clock.iso(NOW), "engine": HOSTILE}),
        TELLER.control(
            {"id": 1, "ts": clock.iso(NOW), "action": "pause", "scope": HOSTILE, "by": HOSTILE, "detail": HOSTILE}
        ),
    ):
        shown = Shown(item.html, "HTML")
        outside = shown.text
        for inert in shown.code:
            outside = outside.replace(inert, "")
        for live in ("@", "https", "/reset", "\u202e", "\x00", "##"):
            assert live not in outside, item.html


@given(st.lists(st.text(max_size=300), max_size=60), st.integers(0, 40))
def test_everything_is_told_or_counted_in_order_and_no_message_is_too_long(reasons: list[str], old: int) -> None:
    items = [TELLER.event(event(id=n, reason=f"#{n} {text}")) for n, text in enumerate(reasons, start=old + 1)]
    aged = [Item("events", n, clock.iso(NOW - timedelta(days=2)), "refused", "never told") for n in range(1, old + 1)]
    messages = compose([*aged, *items], START, NOW, DAY, WORDS)
    assert [item.id for message in messages for item in message.items] == list(range(1, old + len(items) + 1))
    told = [item.id for message in messages for item in message.told]
    assert told == [item.id for item in items[-STORM:]]
    for message in messages:
        shown = Shown(message.html, "HTML")
        assert units(message.html) <= LONGEST
        assert "never told" not in shown.text
        assert message.position["events"] == message.items[-1].id


def test_what_waits_together_goes_together() -> None:
    (message,) = compose(news(20), START, NOW, DAY, WORDS)
    assert message.html == "\n\n".join(["x"] * 20)


def test_a_long_list_is_split_between_news_and_never_within() -> None:
    block = "<code>" + "é" * 1500 + "</code>"
    messages = compose(news(5, html=block), START, NOW, DAY, WORDS)
    assert [len(message.told) for message in messages] == [2, 2, 1]
    assert [message.position["events"] for message in messages] == [2, 4, 5]


def test_a_storm_and_old_news_are_counted() -> None:
    (message,) = compose(news(STORM + 37), START, NOW, DAY, WORDS)
    assert "et 37 de plus" in message.html
    assert "37 ouverts" in message.html
    (message,) = compose(news(212, ago=2 * DAY, kind="refused"), START, NOW, DAY, Words("en"))
    assert message.html == "… and 212 older than 24 h (212 refused), not told one by one: /events"
    assert (message.told, message.position["events"]) == ((), 212)


def test_a_clock_that_jumped_back_skips_nothing() -> None:
    events = [Item("events", 1, "2026-03-04T15", "opened", "1"), Item("events", 2, "2026-03-04T11", "opened", "2")]
    resets = [Item("resets", 1, "2026-03-04T13", "reset", "r")]
    order = [(item.source, item.id) for item in merged([events, resets])]
    assert order.index(("events", 1)) < order.index(("events", 2))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NetworkError("httpx.ConnectError"), Later),
        (InvalidToken(), Later),
        (TelegramError("Invalid server response"), Later),
        (Forbidden("Forbidden: bot was blocked by the user"), Refused),
        (BadRequest("Chat not found"), Refused),
        (ChatMigrated(-100), Moved),
    ],
)
def test_each_error_means_one_thing(error: TelegramError, kind: type[Exception]) -> None:
    found = meaning(error)
    assert type(found) is kind
    assert getattr(found, "whole", True) is True
    assert getattr(found, "seconds", None) is None


@pytest.mark.filterwarnings("ignore:.*retry_after")
def test_a_limit_says_how_long_to_wait() -> None:
    found = meaning(RetryAfter(7))
    assert isinstance(found, Later)
    assert found.seconds == 7


def test_only_a_chats_own_trouble_concerns_the_next_message_too() -> None:
    found = meaning(BadRequest(f"Can't parse entities of bot{TOKEN}"), TOKEN)
    assert isinstance(found, Refused)
    assert not found.whole
    assert TOKEN not in str(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/status", ("status", ())),
        ("/Quote@Trader_Bot GOLD 1 2", ("quote", ("GOLD", "1", "2"))),
        ("/reset@other_bot", None),
        ("hello /reset", None),
        ("", None),
        ("/", ("", ())),
    ],
)
def test_a_command_is_a_word_with_a_slash(text: str, expected: Any) -> None:
    assert parse(text, "trader_bot") == expected


@pytest.mark.parametrize(
    ("value", "shown"), [(68000.0, "68000"), (0.06, "0.06"), (True, "—"), (None, "—"), (1e15, "1e+15")]
)
def test_numbers_are_written_as_people_do(value: Any, shown: str) -> None:
    assert number(value) == shown


@given(st.lists(st.text(alphabet="é&<\U0001f600x", max_size=400), min_size=1, max_size=40))
def test_an_answer_is_cut_at_a_lines_end(texts: list[str]) -> None:
    whole = "\n".join(code(text, 400) or "-" for text in texts)
    cut = fit(whole)
    assert units(cut) <= LONGEST
    assert cut == whole or set(cut.split("\n")) <= {*whole.split("\n"), "…"}


def test_a_row_that_cannot_be_told_holds_up_nothing(store: Store) -> None:
    def write(connection: Any) -> None:
        for row_id, ts in ((1, "no time at all"), (2, clock.iso(NOW))):
            row = {"id": row_id, "ts": ts, "ip": "", "by": "api", "action": "pause", "scope": "*", "detail": "{"}
            connection.execute(tables.controls.insert(), row)

    store.submit(write).result(5)
    with store.read() as connection:
        batch = Feed(TELLER, frozenset(KINDS)).waiting(connection, START, progress.TABLES)
    assert sorted(item.id for item in batch.items) == [1, 2]
    assert batch.end["controls"] == 2


def test_ages_are_told_in_the_units_that_matter() -> None:
    assert [age(seconds) for seconds in (-5, 59, 61, 7500, 200_000)] == ["0 s", "59 s", "1 min", "2 h 5 min", "2 d 7 h"]


def test_a_status_says_what_is_owed_and_what_is_paused() -> None:
    state = {"lock": {"engine": "USDTM_LONG", "since": "2026-03-04T14:00:00+00:00", "expires_at": None}}
    state |= {
        "events_total": 5,
        "last_event_ts": "2026-03-04T14:00:00+00:00",
        "sinks": {"perf": {"pending": 3, "error": "<down>", "dead": 0}, "journal": {"pending": 0, "error": None}},
    }
    state["pauses"] = [{"scope": "*", "until": None}, {"scope": "GOLD", "until": "2026-03-04T16:00:00+00:00"}]
    finding = {"guard": "max_trades", "text": "3 of 3"}
    state["guards"] = {"GOLD": {"opens": False, "risk_factor": 1.0, "findings": [finding]}}
    text = Answers(Words("en"), ZoneInfo("Etc/UTC")).status(state, NOW)
    assert "⛔ <code>GOLD</code> <code>max_trades: 3 of 3</code>" in text
    for words in ("since 04 Mar 14:00", "alerts: 5, the last one 1 h 0 min ago", "perf: 3 waiting", "&lt;down&gt;"):
        assert words in text
    assert "paused: everything" in text
    assert "until 04 Mar 16:00" in text
    assert code("") == ""


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(tmp_path / "webhook.db", tables.SCHEMA)
    opened.submit(progress.begin).result(5)
    yield opened
    opened.close()


def commander(store: Store) -> Commander:
    nobody = "http://127.0.0.1:9"
    return Commander(
        Services(nobody, nobody, nobody, Secret("k" * 12)), store, WORDS, Answers(WORDS, ZoneInfo("Etc/UTC"))
    )


def test_a_question_expires_and_belongs_to_who_asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk() -> None:
        asked = commander(store)
        reply = await asked.answer(Command("reset", (), 42, 7))
        data = reply.buttons[0][1]
        assert (await asked.press(1, data, 42, 8)).flash == WORDS("not_yours")
        assert (await asked.press(2, data, 43, 7)).html == WORDS("expired")
        monkeypatch.setattr(commands, "CONFIRM_SECONDS", -1.0)
        reply = await asked.answer(Command("pause", ("30", "GOLD"), 42, 7))
        assert (await asked.press(3, reply.buttons[0][1], 42, 7)).html == WORDS("expired")
        assert (await asked.press(4, "nonsense", 42, 7)).html == WORDS("expired")

    asyncio.run(talk())


def test_an_update_is_obeyed_once_and_cursors_stay(store: Store) -> None:
    position = {"events": 5, "controls": 2, "resets": 1, "health": 3}
    store.submit(lambda connection: progress.advance(connection, position)).result(5)
    obeyed = [store.submit(lambda connection, n=n: progress.obey(connection, n)).result(5) for n in (7, 8, 7)]
    assert obeyed == [True, True, False]
    assert store.submit(progress.begin).result(5) == position
    store.submit(lambda connection: progress.advance(connection, position)).result(5)
    assert not store.submit(lambda connection: progress.obey(connection, 7)).result(5)


@pytest.mark.parametrize("args", [("0",), ("30", "GOLD", "x"), ("x" * 65,)])
def test_a_pause_that_cannot_be_meant_is_not_asked_back(store: Store, args: tuple[str, ...]) -> None:
    reply = asyncio.run(commander(store).answer(Command("pause", args, 42, 7)))
    assert (reply.html, reply.buttons) == (WORDS("usage_pause"), ())


GOOD = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "-1001", "TRADING_STATE_DIR": "/tmp"}


def test_the_defaults_need_a_token_and_a_chat_only() -> None:
    found = load(GOOD)
    assert (found.chat, found.allowed, found.language, found.enabled) == (-1001, {-1001}, "fr", True)
    assert "duplicates" not in found.events
    assert load(GOOD | {"TELEGRAM_CHAT_ID": "@channel"}).allowed == frozenset()
    assert not load({"TELEGRAM_ENABLED": "0"}).enabled


def test_all_that_is_wrong_is_said_at_once_and_the_token_never() -> None:
    wrong = {
        "TELEGRAM_BOT_TOKEN": "secret-that-is-no-token",
        "TELEGRAM_CHAT_ID": "me",
        "TELEGRAM_EVENTS": "opened,nope",
    }
    with pytest.raises(SettingsError) as raised:
        load(wrong | {"TELEGRAM_LANGUAGE": "de", "TELEGRAM_BASE_URL": "ftp://x"})
    said = str(raised.value)
    for name in ("BOT_TOKEN", "CHAT_ID", "EVENTS", "LANGUAGE", "BASE_URL"):
        assert f"TELEGRAM_{name}" in said
    assert "secret-that" not in said
    assert "nope is not known" in said
