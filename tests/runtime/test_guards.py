"""The guards as values: drawn days, the two days of the year that are not 24 hours long, and clocks that jump."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import own_wheel
from runtime.payload import Invalid
from runtime.router import guards_config
from runtime.router.guards import Confirmation, Facts, Pause, Verdict, judge
from runtime.router.guards_rules import Guards, Rules
from runtime.router.guards_standing import KEPT, Calendar, Standing, from_json
from runtime.router.presets import shipped

MONTREAL, PRAGUE, NEW_YORK = ZoneInfo("America/Montreal"), ZoneInfo("Europe/Prague"), ZoneInfo("America/New_York")
EQUITIES = {"GOLD_CFD_LONG": 1500.0, "EURUSD_FTMO": 50_000.0, "XAU_M5_SCALP": None}
NOON = datetime(2026, 2, 17, 17, tzinfo=UTC)  # a Tuesday, 12:00 in Montreal
TODAY = "2026-02-17"


def read(**section: Any) -> Guards:
    return guards_config.read(section, EQUITIES, shipped(), MONTREAL)


def gold(**rules: Any) -> Guards:
    return read(engines={"GOLD_CFD_LONG": rules})


def standing(*results: float, usd: float = 15.0, day: str = TODAY, opened: bool = True) -> Standing:
    """After these results in R, all of `day`; each R is `usd`."""
    found = Standing()
    for r in results:
        found = (found.opened(day) if opened else found).closed(r, r * usd, day)
    return found


def asked(guards: Guards, found: Standing | None = None, now: datetime = NOON, **facts: Any) -> Verdict:
    scopes = {"*": found, "GOLD_CFD_LONG": found} if found else {}
    return judge(guards, Facts(now=now, engine="GOLD_CFD_LONG", standings=scopes, **facts))


def said(verdict: Verdict) -> list[str]:
    return [f"{one.guard}: {one.text}" for one in verdict.findings]


# What is counted.


def test_a_day_of_trades_is_counted() -> None:
    one = standing(1.5, -1, -1)
    assert (one.trades, one.r, one.usd, one.total, one.peak, one.streak) == (3, -0.5, -7.5, -7.5, 22.5, 2)
    assert one.results == (1.5, -1, -1)
    assert one.closed(0, 0, TODAY).streak == 2  # neither won nor lost
    assert one.closed(0.1, 1.5, TODAY).streak == 0


def test_midnight_ends_the_day_and_keeps_the_rest() -> None:
    next_day = standing(-1, -1).on("2026-02-18")
    assert (next_day.trades, next_day.r, next_day.usd) == (0, 0, 0)
    assert (next_day.total, next_day.streak, next_day.results) == (-30, 2, (-1, -1))


def test_a_clock_that_jumps_back_does_not_give_the_day_back() -> None:
    one = standing(-1, -1)
    assert one.on("2026-02-16") == one
    later = one.closed(-1, -15, "2026-02-16")
    assert (later.day, later.trades, later.r) == (TODAY, 2, -3)


@pytest.mark.parametrize(
    ("zone", "start", "moment", "day"),
    [
        (MONTREAL, "00:00", "2026-02-17T04:59:59+00:00", "2026-02-16"),
        (MONTREAL, "00:00", "2026-02-17T05:00:00+00:00", "2026-02-17"),
        (MONTREAL, "00:00", "2026-03-08T04:59:59+00:00", "2026-03-07"),  # 23 hours: begins at UTC-5 and
        (MONTREAL, "00:00", "2026-03-09T03:59:59+00:00", "2026-03-08"),  # ends at UTC-4
        (MONTREAL, "00:00", "2026-03-09T04:00:00+00:00", "2026-03-09"),
        (MONTREAL, "00:00", "2026-11-01T04:00:00+00:00", "2026-11-01"),  # 25 hours
        (MONTREAL, "00:00", "2026-11-02T04:59:59+00:00", "2026-11-01"),
        (MONTREAL, "00:00", "2026-11-02T05:00:00+00:00", "2026-11-02"),
        (NEW_YORK, "17:00", "2026-02-17T21:59:59+00:00", "2026-02-16"),  # a day from 17:00 to 17:00
        (NEW_YORK, "17:00", "2026-02-17T22:00:00+00:00", "2026-02-17"),
        (PRAGUE, "00:00", "2026-02-16T23:00:00+00:00", "2026-02-17"),
    ],
)
def test_days_begin_by_the_clocks_of_their_zone(zone: ZoneInfo, start: str, moment: str, day: str) -> None:
    assert Calendar(zone, time.fromisoformat(start)).day(datetime.fromisoformat(moment)) == day


def test_an_hour_that_comes_twice_is_still_one_day() -> None:
    calendar = Calendar(MONTREAL, time(1, 30))
    first, again = datetime(2026, 11, 1, 5, 45, tzinfo=UTC), datetime(2026, 11, 1, 6, 15, tzinfo=UTC)
    one = Standing().opened(calendar.day(first)).opened(calendar.day(again))  # 01:45, then 01:15
    assert one.trades == 2


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"day": 5, "trades": "x", "r": null, "results": {}}',
     '{"trades": -4, "streak": -1, "peak": -3, "day": "tomorrow"}', '{"usd": true, "unknown": 1, "results": []}'],
)  # fmt: skip
def test_what_cannot_be_read_was_never_counted(text: str) -> None:
    assert from_json(text) == Standing()


STEPS = st.lists(
    st.tuples(st.booleans(), st.floats(-50, 50), st.floats(-1e6, 1e6), st.dates().map(lambda day: day.isoformat())),
    max_size=60,
)


@given(STEPS)
def test_counters_are_never_negative_and_survive_being_stored(steps: list[tuple[bool, float, float, str]]) -> None:
    one, days = Standing(), [""]
    for opens, r, usd, day in steps:
        one = one.opened(day) if opens else one.closed(r, usd, day)
        days.append(one.day)
        assert min(one.trades, one.streak, one.peak) >= 0
        assert one.peak >= one.total
        assert len(one.results) <= KEPT
        assert from_json(one.to_json()) == one
        assert one.drawdown(1e9, initial=False) >= 0
    assert days == sorted(days)


# What is said.

GUARDED: list[tuple[dict[str, Any], Standing, str]] = [
    ({"max_trades_day": 3}, standing(1, -1, 1), "max_trades_day: 3 of 3 trades today"),
    ({"day_stop_loss_r": 1}, standing(-1), "day_stop_loss_r: -1 R today, the day stops at -1 R"),
    ({"day_stop_loss_r": 1}, standing(-1 / 3, -1 / 3, -1 / 3), "day_stop_loss_r: -1 R today, the day stops at -1 R"),
    ({"day_stop_gain_r": 2}, standing(1, 1.2), "day_stop_gain_r: +2.2 R today, the day stops at +2 R"),
    ({"day_stop_loss_usd": 30}, standing(-1, -1.1), "day_stop_loss_usd: -31.5 USD today, the day stops at -30 USD"),
    ({"day_stop_gain_usd": 30}, standing(2), "day_stop_gain_usd: +30 USD today, the day stops at +30 USD"),
    ({"day_stop_loss_pct": 5}, standing(-5), "day_stop_loss_pct: -5 % today, the day stops at -5 %"),
    ({"day_stop_gain_pct": 5}, standing(5), "day_stop_gain_pct: +5 % today, the day stops at +5 %"),
    ({"max_drawdown_pct": 5}, standing(10, -5.5), "max_drawdown_pct: 5.00 % below the peak, at most 5 %"),
    ({"max_drawdown_pct": 10, "drawdown_from": "initial"}, standing(-10),
     "max_drawdown_pct: 10.00 % below the initial balance, at most 10 %"),
    ({"min_winrate_pct": 45, "winrate_window": 4}, standing(1, -1, 0, -1),
     "min_winrate_pct: 25.0 % of the last 4 trades were won, at least 45 %"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "found", "text"), GUARDED)
def test_each_guard_says_its_numbers(rules: dict[str, Any], found: Standing, text: str) -> None:
    verdict = asked(gold(**rules), found)
    assert said(verdict) == [text]
    assert (verdict.refuses, verdict.why, verdict.factor) == (True, text, 1)
    assert said(asked(read(account=rules | {"equity": 1500}), found)) == [text]
    warned = asked(gold(**rules, mode="warn"), found)
    assert (warned.refuses, warned.why, said(warned)) == (False, "", [text])


NOT_YET: list[tuple[dict[str, Any], Standing]] = [
    ({"max_trades_day": 3}, standing(1, -1)),
    ({"max_trades_day": 1}, standing(-1, -1, day="2026-02-16")),  # yesterday
    ({"day_stop_loss_r": 1, "day_stop_gain_r": 1}, standing(-0.99)),
    ({"day_stop_loss_r": 1}, standing(-3, day="2026-02-16")),
    ({"max_drawdown_pct": 10, "drawdown_from": "initial"}, standing(50, -15)),
    ({"max_drawdown_pct": 5}, standing(10, -5)),
    ({"min_winrate_pct": 45, "winrate_window": 4}, standing(-1, -1, -1)),  # the window is not full
    ({"min_winrate_pct": 50, "winrate_window": 4}, standing(-1, 1, 1, -1)),
    ({"losing_streak": 3}, standing(-1, -1, -1, 0.2)),
    ({"max_trades_day": None, "open_trades_max": None}, standing(-1)),
]


@pytest.mark.parametrize(("rules", "found"), NOT_YET)
def test_what_is_not_reached_says_nothing(rules: dict[str, Any], found: Standing) -> None:
    assert asked(gold(**rules), found).findings == ()


def test_no_rules_say_nothing() -> None:
    assert not read()
    assert asked(read(), standing(-1, -1)).findings == ()


def test_a_percentage_of_the_day_is_of_what_it_began_with() -> None:
    before = standing(100, day="2026-02-16")  # 1,500 became 3,000
    now = before.closed(-5, -75, TODAY)
    assert asked(gold(day_stop_loss_pct=5), now).findings == ()
    assert asked(gold(day_stop_loss_pct=2.5), now).refuses
    assert asked(gold(day_stop_loss_pct=5, day_pct_of="initial"), now).refuses


def test_a_losing_streak_halves_and_does_not_refuse() -> None:
    lost = standing(1, -1, -1, -1)
    both = read(account={"losing_streak": 3}, engines={"GOLD_CFD_LONG": {"losing_streak": 2}})
    verdict = asked(both, lost)
    assert (verdict.refuses, verdict.factor, len(verdict.findings)) == (False, 0.5, 2)
    assert said(verdict)[0] == "losing_streak: 3 trades lost in a row: half the risk until the next win"
    assert asked(gold(losing_streak=3, mode="warn"), lost).factor == 1


def test_each_guard_may_have_a_mode_of_its_own() -> None:
    guards = read(
        mode="warn",
        account={"max_trades_day": 1},
        engines={"GOLD_CFD_LONG": {"max_trades_day": 1, "day_stop_loss_r": 1, "modes": {"day_stop_loss_r": "enforce"}}},
    )
    verdict = asked(guards, standing(-1))
    modes = [(one.scope, one.guard, one.mode) for one in verdict.findings]
    assert modes == [
        ("*", "max_trades_day", "warn"),
        ("GOLD_CFD_LONG", "max_trades_day", "warn"),
        ("GOLD_CFD_LONG", "day_stop_loss_r", "enforce"),
    ]
    assert verdict.refuses
    assert verdict.why == "day_stop_loss_r: -1 R today, the day stops at -1 R"


def test_open_trades_symbols_and_risk() -> None:
    guards = gold(open_trades_max=2, symbols=["XAUUSD"], max_risk_pct=1)
    assert said(asked(guards, open_trades={"GOLD_CFD_LONG": 2, "*": 7}, symbol="EURUSD", risk_usd=16)) == [
        "open_trades_max: 2 of 2 trades open",
        "symbols: EURUSD is not one of XAUUSD",
        "max_risk_pct: 16.00 USD at risk is 1.07 %, at most 1 %",
    ]
    assert asked(guards, open_trades={"*": 7}, symbol="XAUUSD", risk_usd=15).findings == ()
    assert asked(guards).findings == ()  # asked in general


def test_another_engine_is_none_of_an_engines_guards() -> None:
    facts = Facts(now=NOON, engine="EURUSD_FTMO", standings={"GOLD_CFD_LONG": standing(-1)})
    assert judge(gold(max_trades_day=1), facts).findings == ()


def test_test_engines_are_not_guarded() -> None:
    paused = {"*": Pause(NOON, None)}
    assert judge(read(account={"max_trades_day": 0}), Facts(NOON, "TV_TEST", pauses=paused)).findings == ()


# Times.

SPRING = [
    ("2026-03-06T13:30", True),  # 08:30 in New York, winter
    ("2026-03-06T13:29", False),
    ("2026-03-09T12:30", True),  # 08:30, summer: an hour earlier by UTC
    ("2026-03-09T12:29", False),
    ("2026-03-09T16:00", False),  # 12:00 is out
    ("2026-03-09T15:59", True),
    ("2026-03-08T14:00", False),  # a Sunday
]


@pytest.mark.parametrize(("moment", "allowed"), SPRING)
def test_sessions_keep_to_the_clock_on_the_wall(moment: str, allowed: bool) -> None:
    guards = gold(sessions=[{"days": "mon-fri", "from": "08:30", "to": "12:00", "timezone": "America/New_York"}])
    assert (not asked(guards, now=datetime.fromisoformat(moment + "+00:00")).findings) is allowed


@pytest.mark.parametrize(
    ("local", "allowed"),
    [("2026-02-16 17:59", False), ("2026-02-16 18:00", True), ("2026-02-17 01:59", True), ("2026-02-17 02:00", False),
     ("2026-02-16 01:00", False), ("2026-02-22 01:00", False), ("2026-02-21 01:00", True)],
)  # fmt: skip
def test_a_session_over_midnight_belongs_to_the_day_it_starts_on(local: str, allowed: bool) -> None:
    guards = gold(sessions=[{"days": "mon-fri", "from": "18:00", "to": "02:00"}])
    now = datetime.fromisoformat(local).replace(tzinfo=MONTREAL)
    verdict = asked(guards, now=now)
    assert (not verdict.findings) is allowed
    if not allowed:
        assert said(verdict) == [
            "sessions: outside the session hours (mon tue wed thu fri 18:00-02:00 America/Montreal)"
        ]


NEWS = {
    "before_min": 15,
    "after_min": 10,
    "windows": [
        {"what": "FOMC", "at": "2026-03-18 14:00", "timezone": "America/New_York"},
        {"what": "claims", "day": "thu", "at": "08:30", "timezone": "America/New_York", "after_min": 30},
        {"what": "rollover", "day": "sun", "from": "23:50", "to": "00:10"},
        {"what": "holidays", "from": "2026-12-24T00:00", "to": "2026-12-26T23:59:00Z", "before_min": 0},
    ],
}


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-03-18T17:44:59", None),
        ("2026-03-18T17:45:00", "FOMC 2026-03-18 14:00 America/New_York, 15 min before to 10 min after"),
        ("2026-03-18T18:09:59", "FOMC 2026-03-18 14:00 America/New_York, 15 min before to 10 min after"),
        ("2026-03-18T18:10:00", None),
        ("2026-02-19T13:15:00", "claims thu 08:30 America/New_York, 15 min before to 30 min after"),
        ("2026-02-19T13:59:59", "claims thu 08:30 America/New_York, 15 min before to 30 min after"),
        ("2026-02-20T13:30:00", None),
        ("2026-06-18T12:30:00", "claims thu 08:30 America/New_York, 15 min before to 30 min after"),
        ("2026-02-23T05:15:00", "rollover sun 23:50-00:10 America/Montreal, 15 min before to 10 min after"),
        ("2026-02-23T04:34:59", None),
        ("2026-12-24T04:59:59", None),
        ("2026-12-24T05:00:00", "holidays 2026-12-24 00:00-2026-12-26 23:59 America/Montreal, "
         "0 min before to 10 min after"),
    ],
)  # fmt: skip
def test_news_windows(moment: str, text: str | None) -> None:
    verdict = asked(gold(news=NEWS), now=datetime.fromisoformat(moment + "+00:00"))
    assert said(verdict) == ([f"news: blackout: {text}"] if text else [])


@pytest.mark.parametrize(
    ("moment", "dark"),
    [("2026-11-01T05:14", False), ("2026-11-01T05:30", True), ("2026-11-01T06:30", True), ("2026-11-01T06:46", False)],
)
def test_an_hour_that_comes_twice_is_dark_twice(moment: str, dark: bool) -> None:
    window = {"at": "2026-11-01 01:30", "before_min": 15, "after_min": 15}
    verdict = asked(gold(news={"windows": [window]}), now=datetime.fromisoformat(moment + "+00:00"))
    assert bool(verdict.findings) is dark


def test_a_time_that_the_clocks_skip_still_comes() -> None:
    window = {"day": "sun", "at": "02:30", "before_min": 5, "after_min": 5}
    for minute, dark in ((-1, False), (0, True), (10, True), (70, False)):  # from 06:25 UTC, where 02:30 may mean
        now = datetime(2026, 3, 8, 6, 25, tzinfo=UTC) + timedelta(minutes=minute)  # 06:30 (summer) or 07:30 (winter)
        assert asked(gold(news={"windows": [window]}), now=now).refuses is dark


# Checklist and pause.


def confirmed(*items: str, scope: str = "*", ago: float = 1, lasts: float = 24) -> dict[str, Any]:
    ts = NOON - timedelta(hours=ago)
    return {"confirmed": {(scope, item): Confirmation(ts, ts + timedelta(hours=lasts)) for item in items}}


def test_a_checklist_counts_on_the_day_it_was_confirmed() -> None:
    guards = gold(checklist=["htf", "dxy", "news"])
    assert said(asked(guards)) == ["checklist: 0 of 3 confirmed; missing: htf, dxy, news"]
    assert said(asked(guards, **confirmed("htf", "news"))) == ["checklist: 2 of 3 confirmed; missing: dxy"]
    assert asked(guards, **confirmed("htf", "dxy", "news")).findings == ()
    assert asked(guards, **confirmed("htf", "dxy", "news", scope="GOLD_CFD_LONG")).findings == ()
    assert asked(guards, **confirmed("htf", "dxy", "news", scope="EURUSD_FTMO")).refuses
    assert asked(guards, **confirmed("htf", "dxy", "news", ago=12.1)).refuses  # 23:54 yesterday
    assert asked(guards, **confirmed("htf", "dxy", "news", ago=2, lasts=1)).refuses


def test_a_checklist_may_count_for_hours_instead() -> None:
    guards = gold(checklist={"items": ["htf"], "within_hours": 20})
    assert asked(guards, **confirmed("htf", ago=19.9)).findings == ()
    assert asked(guards, **confirmed("htf", ago=20)).refuses


def test_a_pause_holds_whatever_the_rules_are() -> None:
    since, until = NOON - timedelta(hours=1), NOON + timedelta(minutes=1)
    everything = asked(read(mode="warn"), pauses={"*": Pause(since, None, "dentist")})
    assert said(everything) == ["pause: everything is paused since 2026-02-17 16:00 UTC: dentist"]
    assert everything.refuses
    mine = {"GOLD_CFD_LONG": Pause(since, until)}
    assert said(asked(read(), pauses=mine)) == [
        "pause: GOLD_CFD_LONG is paused since 2026-02-17 16:00 UTC until 2026-02-17 17:01 UTC"
    ]
    assert asked(read(), pauses=mine, now=until).findings == ()
    assert asked(read(), pauses={"EURUSD_FTMO": Pause(since, None)}).findings == ()


# Configuration.


def test_a_preset_is_laid_under_what_stands_beside_it() -> None:
    guards = read(
        timezone="America/New_York",
        engines={"GOLD_CFD_LONG": {"preset": "xauusd-v2.1", "losing_streak": 2, "checklist": None}},
    )
    rules = guards.engines["GOLD_CFD_LONG"]
    assert (rules.max_drawdown_pct, rules.min_winrate_pct, rules.winrate_window) == (5, 45, 20)
    assert (rules.losing_streak, rules.checklist, rules.equity, rules.calendar.zone) == (2, (), 1500, NEW_YORK)
    assert guards.account is None


def test_a_preset_at_the_top_is_the_accounts() -> None:
    rules = read(preset="ftmo", timezone="America/New_York").account
    assert rules is not None
    assert (rules.max_trades_day, rules.day_stop_loss_r, rules.day_stop_gain_r, rules.symbols) == (2, 1, 1, ("EURUSD",))
    assert (rules.equity, rules.max_risk_pct, rules.calendar.zone) == (50_000, 0.5, PRAGUE)


def test_news_windows_are_added_to_a_presets_margins() -> None:
    news = {"windows": [{"what": "FOMC", "at": "2026-03-18T18:00:00Z"}]}
    (window,) = read(engines={"EURUSD_FTMO": {"preset": "ftmo", "news": news}}).engines["EURUSD_FTMO"].news
    assert (window.before, window.after) == (15, 15)


def test_the_log_books_figures() -> None:
    """XAUUSD V2.1 and FTMO as they stand in the log book's session of 2026-02-15 14:45."""
    xauusd, ftmo = gold(preset="xauusd-v2.1").engines["GOLD_CFD_LONG"], read(preset="ftmo").account
    assert isinstance(ftmo, Rules)
    assert said(asked(Guards(None, {"GOLD_CFD_LONG": replace(xauusd, checklist=())}), standing(-5, -1))) == [
        "max_drawdown_pct: 6.00 % below the peak, at most 5 %"
    ]
    lost = standing(*[2.0, -1.0, -1.0] * 6, 1.0, -0.1, usd=0.1)  # 7 of 20 won
    assert [one.guard for one in asked(Guards(None, {"GOLD_CFD_LONG": xauusd}), lost).findings] == [
        "min_winrate_pct",
        "checklist",
    ]
    assert xauusd.checklist == ("htf", "dxy", "h1", "m15", "m5", "rr", "news", "mental")
    assert [one.guard for one in asked(Guards(ftmo), standing(0.5, 0.5)).findings] == [
        "max_trades_day",
        "day_stop_gain_r",
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"acount": {}}, "guards.acount: is not known; did you mean account?"),
    ({"mode": "off", "account": {}}, "guards.account.mode: expected enforce or warn"),
    ({"account": []}, "guards.account: expected an object"),
    ({"account": {"max_trade_day": 3}}, "guards.account.max_trade_day: is not known; did you mean max_trades_day?"),
    ({"account": {"max_trades_day": 2.5}}, "guards.account.max_trades_day: expected a whole number from 0 to 10000"),
    ({"account": {"day_stop_loss_r": -1}}, "guards.account.day_stop_loss_r: expected a number above 0"),
    ({"account": {"day_stop_loss_pct": 500}}, "guards.account.day_stop_loss_pct: expected a number above 0"),
    ({"account": {"winrate_window": 500}}, "guards.account.winrate_window: expected a whole number from 1 to 200"),
    ({"account": {"drawdown_from": "top"}}, "guards.account.drawdown_from: expected peak or initial"),
    ({"account": {"timezone": "Montreal"}}, "guards.account.timezone: 'Montreal' is not a time zone"),
    ({"account": {"day_start": "25:00"}}, "guards.account.day_start: '25:00' is not a time of day"),
    ({"account": {"modes": {"newz": "warn"}}}, "guards.account.modes.newz: is not a guard; did you mean news?"),
    ({"account": {"modes": {"news": "off"}}}, "guards.account.modes.news: expected enforce or warn"),
    ({"account": {"symbols": "EURUSD"}}, "guards.account.symbols: expected a list of names"),
    ({"account": {"checklist": ["dxy", "dxy"]}}, "guards.account.checklist: has a name twice"),
    ({"account": {"checklist": {"item": []}}}, "guards.account.checklist.item: is not known; did you mean items?"),
    ({"account": {"sessions": [{"days": "mon-fry", "from": "08:00", "to": "09:00"}]}},
     "guards.account.sessions.0.days: 'fry' is not a day; did you mean fri?"),
    ({"account": {"sessions": [{"from": "08:00"}]}}, "guards.account.sessions.0.to: None is not a time of day"),
    ({"account": {"news": {"windows": [{"at": "8:30"}]}}}, "guards.account.news.windows.0.at: '8:30' is not a moment"),
    ({"account": {"news": {"windows": [{"day": "fri"}]}}}, "guards.account.news.windows.0: expected either `at`"),
    ({"account": {"news": {"windows": [{"day": "fri", "at": "08:30"}]}}}, "guards.account.news.windows.0: ends before"),
    ({"account": {"news": {"windows": [{"from": "2026-02-02 10:00", "to": "2026-02-02 09:00"}]}}},
     "guards.account.news.windows.0: ends before"),
    ({"account": {"news": {"before": 5}}}, "guards.account.news.before: is not known; did you mean before_min?"),
    ({"engines": {"GOLD_CFD": {}}}, "guards.engines.GOLD_CFD: is not an engine with equity; did you mean GOLD_CFD_L"),
    ({"engines": {"XAU_M5_SCALP": {}}}, "guards.engines.XAU_M5_SCALP: is not an engine with equity"),
    ({"engines": {"GOLD_CFD_LONG": {"preset": "xauusd"}}},
     "guards.engines.GOLD_CFD_LONG.preset: 'xauusd' is not shipped; did you mean xauusd-v2.1?"),
    ({"preset": "ftmo", "account": {"preset": "xauusd-v2.1"}}, "guards.preset: stands in guards.account too"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "text"), WRONG)
def test_a_mistake_is_named_by_its_place(section: dict[str, Any], text: str) -> None:
    with pytest.raises(Invalid) as error:
        read(**section)
    assert str(error.value).startswith(text)


def test_findings_are_shown_as_data() -> None:
    shown = asked(gold(max_trades_day=1), standing(-1)).shown()
    assert json.loads(json.dumps(shown)) == [
        {"guard": "max_trades_day", "scope": "GOLD_CFD_LONG", "mode": "enforce", "effect": "refuse",
         "text": "1 of 1 trades today"}
    ]  # fmt: skip


def test_the_presets_are_in_the_wheel() -> None:
    names = own_wheel.sources().keys()
    assert {f"runtime/router/presets/{name}.json" for name in ("ftmo", "xauusd-v2.1")} <= names
    assert set(shipped()) == {"ftmo", "xauusd-v2.1"}
