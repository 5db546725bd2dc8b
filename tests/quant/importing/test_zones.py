"""Clock readings to UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quant.errors import UsageError
from quant.importing.zones import NONE, Zone
from quant.times import EPOCH, milliseconds, shown


def readings(*texts: str) -> np.ndarray:
    return np.array([milliseconds(datetime.fromisoformat(text)) for text in texts], np.int64)


def utc(zone: str, *texts: str) -> list[str]:
    return [shown(int(time)) for time in Zone.of(zone).to_utc(readings(*texts))]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2024-07-01 12:00"),
        ("Europe/Paris", "2024-07-01 10:00"),
        ("UTC+3", "2024-07-01 09:00"),
        ("+05:30", "2024-07-01 06:30"),
        ("-4", "2024-07-01 16:00"),
        ("America/New_York+7", "2024-07-01 09:00"),
        ("Etc/GMT+2", "2024-07-01 14:00"),
    ],
)
def test_a_zone_is_a_place_or_an_offset_or_both(zone: str, expected: str) -> None:
    assert utc(zone, "2024-07-01 12:00") == [expected]


def test_a_broker_that_follows_new_york_changes_its_clock_two_weeks_before_europe() -> None:
    days = ("2024-03-08 12:00", "2024-03-12 12:00", "2024-04-02 12:00")
    assert utc("America/New_York+7", *days) == ["2024-03-08 10:00", "2024-03-12 09:00", "2024-04-02 09:00"]
    assert utc("Europe/Athens", *days) == ["2024-03-08 10:00", "2024-03-12 10:00", "2024-04-02 09:00"]


def test_the_hour_that_comes_twice_is_told_apart_by_its_order() -> None:
    """Paris, 27 October 2024: 02:00 to 03:00 twice."""
    texts = ("2024-10-27 01:30", "2024-10-27 02:00", "2024-10-27 02:30", "2024-10-27 02:00", "2024-10-27 02:30")
    assert utc("Europe/Paris", *texts, "2024-10-27 03:00") == [
        "2024-10-26 23:30", "2024-10-27 00:00", "2024-10-27 00:30", "2024-10-27 01:00", "2024-10-27 01:30",
        "2024-10-27 02:00",
    ]  # fmt: skip


def test_the_hour_that_is_left_out_is_no_time() -> None:
    assert Zone.of("Europe/Paris").to_utc(readings("2024-03-31 02:30")).tolist() == [NONE]


@pytest.mark.parametrize("text", ["Middle/Earth", "", "UTC+3h+1", "Paris"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no timezone"):
        Zone.of(text)


@settings(max_examples=60)
@given(st.integers(220_000, 570_000), st.sampled_from(["Europe/Athens", "America/New_York"]))
def test_a_clock_read_every_quarter_of_an_hour_gives_the_moments_back(hour: int, place: str) -> None:
    """Ten days from any hour of 1995 to 2035, also over both changes; a file that begins in the second of the doubled
    hours cannot be known as such."""
    first = EPOCH + timedelta(hours=hour)
    assume(not first.astimezone(ZoneInfo(place)).fold)
    moments = [first + timedelta(minutes=15 * number) for number in range(960)]
    there = [moment.astimezone(ZoneInfo(place)).replace(tzinfo=UTC) for moment in moments]
    found = Zone.of(place).to_utc(np.array([milliseconds(moment) for moment in there], np.int64))
    assert found.tolist() == [milliseconds(moment) for moment in moments]
