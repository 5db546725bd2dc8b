"""What is wrong in a file is told with its line, and nothing of it is stored."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from quant.errors import BadData, QuantError, UsageError
from quant.importing import Imported, read
from quant.timeframe import Timeframe
from quant.times import milliseconds
from runtime import clock

HEADER = "time,open,high,low,close,volume\n"
ROWS = [f"2024-03-01 {hour:02}:00,10,12,9,11,{hour}" for hour in range(6)]


def taken(tmp_path: Path, rows: list[str], tf: str = "1h", timezone: str = "UTC", header: str = HEADER) -> Imported:
    path = tmp_path / "file.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return read(path, "X/Y", Timeframe.of(tf), timezone=timezone)


def changed(row: int, text: str) -> list[str]:
    return [*ROWS[:row], text, *ROWS[row + 1 :]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (changed(2, "2024-03-01 02:00,10,8,9,11,1"), r"high is below another price: 1 of 6 rows\n.* line 4:"),
        (changed(2, "2024-03-01 02:00,nan,12,9,11,1"), r"a price is no number above 0: 1 of 6 rows\n.* line 4:"),
        (changed(2, "2024-03-01 02:00,,12,9,11,1"), r"line 4: open is no number: ''"),
        (changed(5, "2024-03-01 05:00,10,12,None,11,1"), r"line 7: low is no number: 'None'"),
        (changed(0, "2024-03-01 00:00,10,12,9,-1,1"), r"a price is no number above 0"),
        (changed(2, "2024-03-01 02:00,10,12,9,11,-5"), r"volume is no number from 0: 1 of 6 rows"),
        (changed(2, "2024-03-01 02:07,10,12,9,11,1"), r"no bar of 1h begins then: 1 of 6 rows\n.* line 4: "),
        (changed(2, "yesterday,10,12,9,11,1"), r"line 4: no time \(known: .*\): 'yesterday'"),
        (changed(2, "2024-03-01 02:00,10,12"), r"line 4: 3 fields instead of 6: '2024-03-01 02:00,10,12'"),
        (changed(2, "2024-03-01 01:00,10,12,9,11.5,1"), r"two different rows of one bar\n  line 3: .*\n  line 4: "),
        (["", *changed(2, "2024-03-01 02:00,10,8,9,11,1")], r"line 5: 2024-03-01 02:00"),
        ([], r"has a header and no rows"),
        (["2199-01-01 00:00,10,12,9,11,1"], r"1 bar of the future, from line 2: 2199-01-01 00:00"),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, rows: list[str], words: str) -> None:
    with pytest.raises(BadData, match=words) as caught:
        taken(tmp_path, rows)
    assert "nothing was stored" in str(caught.value)


@pytest.mark.parametrize(
    ("tf", "words"),
    [("15m", "bars are 1h apart, not 15m"), ("4h", "bars are 1h apart, not 4h"), ("1d", "bars are 1h apart, not 1d")],
)
def test_another_timeframe_than_the_files_is_refused(tmp_path: Path, tf: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        taken(tmp_path, ROWS, tf)


def test_days_of_a_session_are_refused_and_say_what_to_import(tmp_path: Path) -> None:
    rows = [f"2024-03-{day:02} 00:00,10,12,9,11,1" for day in range(4, 9)]
    with pytest.raises(BadData, match=r"no bar of 1d begins then: 5 of 5 rows(.|\n)*import hours or minutes instead"):
        taken(tmp_path, rows, "1d", timezone="Europe/Athens")


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("time,open,high,low\n", ["1,2,3,4"], "has no column close; it has time, open, high, low"),
        ("", ["2024-03-01 00:00,10,12"], "has no header, and 3 columns"),
        ("", [""], "is empty"),
        ("\0\0", ["\0"], "(is no CSV file|has no column|has no header)"),
    ],
)
def test_what_is_no_table_of_candles_is_refused(tmp_path: Path, header: str, rows: list[str], words: str) -> None:
    with pytest.raises(BadData, match=words):
        taken(tmp_path, rows, header=header)


@pytest.mark.parametrize("data", [b"PK\x03\x04 not a zip", b"\x1f\x8b not gzip", b"time,open\xff\xfe\xfa"])
def test_what_cannot_be_unpacked_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file.csv").write_bytes(data)
    with pytest.raises(BadData, match="cannot be read"):
        read(tmp_path / "file.csv", "X/Y", Timeframe.of("1h"))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read(tmp_path / "none.csv", "X/Y", Timeframe.of("1h"))
    with pytest.raises(QuantError, match="cannot be read"):
        read(tmp_path, "X/Y", Timeframe.of("1h"))


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (ROWS[::-1], "newest first: turned round"),
        ([*ROWS[3:], *ROWS[:3]], "1 row out of order: sorted"),
        ([*ROWS, ROWS[4]], "1 row out of order: sorted"),
        ([*ROWS[:3], *ROWS[2:]], "1 row twice: taken once"),
    ],
)
def test_order_and_repeated_rows_are_mended_and_told(tmp_path: Path, rows: list[str], note: str) -> None:
    found = taken(tmp_path, rows)
    assert found.candles.sha256 == taken(tmp_path, ROWS).candles.sha256
    assert note in found.notes


def test_the_bar_still_running_is_left_out(tmp_path: Path) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    rows = [f"{hour - timedelta(hours=back):%Y-%m-%d %H:%M},10,12,9,11,1" for back in (3, 2, 1, 0)]
    found = taken(tmp_path, rows)
    assert len(found.candles) == 3
    assert found.notes == (f"the bar of {hour:%Y-%m-%d %H:%M} was not finished: left out",)


def test_the_bar_that_was_running_when_the_file_was_written_is_left_out(tmp_path: Path) -> None:
    taken(tmp_path, ROWS)
    written = milliseconds(clock.from_iso("2024-03-01T05:20:00Z")) / 1000
    os.utime(tmp_path / "file.csv", (written, written))
    found = read(tmp_path / "file.csv", "X/Y", Timeframe.of("1h"))
    assert (len(found.candles), found.notes) == (5, ("the bar of 2024-03-01 05:00 was not finished: left out",))


def test_bars_later_than_the_file_are_a_hint_at_another_timezone(tmp_path: Path) -> None:
    taken(tmp_path, ROWS)
    written = milliseconds(clock.from_iso("2024-03-01T03:00:00Z")) / 1000
    os.utime(tmp_path / "file.csv", (written, written))
    found = read(tmp_path / "file.csv", "X/Y", Timeframe.of("1h"))
    assert (len(found.candles), found.notes) == (
        6,
        ("3 bars would end after the file was written: is --timezone right?",),
    )


def test_a_time_that_no_clock_shows_is_told(tmp_path: Path) -> None:
    rows = [f"2024-03-31 {hour:02}:00,10,12,9,11,1" for hour in range(6)]
    with pytest.raises(BadData, match="line 4: no clock in Europe/Paris shows that time"):
        taken(tmp_path, rows, timezone="Europe/Paris")
