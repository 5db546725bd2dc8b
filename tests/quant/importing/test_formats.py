"""Files as programs write them, cut to a few rows; each says where its format was seen."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from quant.importing import Imported, read
from quant.importing.rows import SERVER_TIME
from quant.timeframe import Timeframe
from quant.times import shown

TRADINGVIEW = """time,open,high,low,close,Volume,MA
1709251200,61130.99,61400,61050.5,61300.25,12.5,61000
1709252100,61300.25,61350,61200,61220,8,61010
"""
TRADINGVIEW_ISO = """time,open,high,low,close
2024-03-31T01:00:00+01:00,1.0791,1.0795,1.0788,1.0790
2024-03-31T03:00:00+02:00,1.0790,1.0799,1.0790,1.0797
"""
MT5 = """<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>
2024.03.28\t01:00:00\t2190.12\t2194.50\t2188.00\t2191.75\t5123\t0\t18
2024.03.28\t02:00:00\t2191.75\t2192.00\t2189.10\t2190.00\t4001\t0\t17
"""
MT4 = """2024.03.28,01:00,2190.12,2194.50,2188.00,2191.75,5123
2024.03.28,02:00,2191.75,2192.00,2189.10,2190.00,4001
"""
BINANCE_MS = """1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724,1704067259999,1519032.1,1327,15.1,638.1,0
1704067260000,42298.62,42320.00,42298.61,42320.00,21.16779,1704067319999,895580.2,1348,13.8,585.5,0
"""
BINANCE_US = BINANCE_MS.replace("1704067200000,", "1735689600000000,").replace("1704067260000,", "1735689660000000,")
FUTURES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,"
    "ignore\n"
)
HISTDATA = """20240328 010000;2190,12;2194,50;2188,00;2191,75;0
20240328 010100;2191,75;2192,00;2189,10;2190,00;0
"""
YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2024-03-27,170.41,173.60,170.11,173.31,172.1,60273300
2024-03-28,171.75,172.23,170.51,171.48,170.3,65672700
"""


def taken(tmp_path: Path, text: str | bytes, tf: str, timezone: str | None = None, name: str = "file.csv") -> Imported:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, "X/Y", Timeframe.of(tf), timezone=timezone)


def opens(imported: Imported) -> list[str]:
    return [shown(int(time)) for time in imported.candles.time]


def test_tradingview_with_seconds_since_1970_and_an_indicator(tmp_path: Path) -> None:
    found = taken(tmp_path, TRADINGVIEW, "15m")
    assert opens(found) == ["2024-03-01 00:00", "2024-03-01 00:15"]
    assert found.candles.close.tolist() == [61300.25, 61220]
    assert found.candles.volume.tolist() == [12.5, 8]
    assert found.notes == ()


def test_tradingview_with_iso_times_across_a_change_of_the_clock_and_no_volume(tmp_path: Path) -> None:
    found = taken(tmp_path, TRADINGVIEW_ISO, "1h", timezone="Asia/Tokyo")
    assert opens(found) == ["2024-03-31 00:00", "2024-03-31 01:00"]
    assert found.notes == ("there is no volume: it is 0",)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (MT5, "MetaTrader"),
        (MT5.replace("\n", "\r\n").encode("utf-16"), "MetaTrader"),
        (MT4, "MetaTrader 4"),
        (b"\xef\xbb\xbf" + MT5.encode(), "MetaTrader"),
    ],
)
def test_metatrader_in_its_servers_time(tmp_path: Path, text: str | bytes, program: str) -> None:
    """A server on Eastern European time: 01:00 there in March, before the change, is 23:00 the day before."""
    found = taken(tmp_path, text, "1h", timezone="Europe/Athens")
    assert opens(found) == ["2024-03-27 23:00", "2024-03-28 00:00"]
    assert found.candles.volume.tolist() == [5123, 4001]
    assert found.program == program


def test_metatraders_real_volume_counts_where_there_is_one(tmp_path: Path) -> None:
    found = taken(tmp_path, MT5.replace("\t0\t18", "\t77\t18"), "1h")
    assert found.candles.volume.tolist() == [77, 0]
    assert found.notes == (SERVER_TIME,)


def test_daily_bars_of_metatrader_are_kept_by_their_date(tmp_path: Path) -> None:
    daily = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.03.28\t1\t2\t1\t2\t9\t0\t1\n"
    assert opens(taken(tmp_path, daily, "1d")) == ["2024-03-28 00:00"]


@pytest.mark.parametrize("header", ["", FUTURES_HEADER])
def test_binance_dumps_in_milliseconds(tmp_path: Path, header: str) -> None:
    found = taken(tmp_path, header + BINANCE_MS, "1m")
    assert opens(found) == ["2024-01-01 00:00", "2024-01-01 00:01"]
    assert found.candles.volume.tolist() == [35.92724, 21.16779]
    assert found.program == "Binance"


def test_binance_dumps_in_microseconds_zipped(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("BTCUSDT-1m-2025-01.csv", BINANCE_US)
    found = taken(tmp_path, packed.getvalue(), "1m", name="BTCUSDT-1m-2025-01.zip")
    assert opens(found) == ["2025-01-01 00:00", "2025-01-01 00:01"]


def test_gzip_and_old_macintosh_line_ends(tmp_path: Path) -> None:
    assert len(taken(tmp_path, gzip.compress(BINANCE_MS.replace("\n", "\r").encode()), "1m").candles) == 2


def test_histdata_with_decimal_commas(tmp_path: Path) -> None:
    found = taken(tmp_path, HISTDATA, "1m", timezone="UTC-5")
    assert opens(found) == ["2024-03-28 06:00", "2024-03-28 06:01"]
    assert found.candles.open.tolist() == [2190.12, 2191.75]


def test_days_of_stocks_with_columns_of_other_names(tmp_path: Path) -> None:
    found = taken(tmp_path, YAHOO, "1d")
    assert opens(found) == ["2024-03-27 00:00", "2024-03-28 00:00"]
    assert found.candles.close.tolist() == [173.31, 171.48]


def test_nanoseconds_and_seconds_before_2001(tmp_path: Path) -> None:
    assert opens(taken(tmp_path, "time,o,h,l,c\n1704067200000000000,1,1,1,1\n", "1m")) == ["2024-01-01 00:00"]
    assert opens(taken(tmp_path, "time,open,high,low,close\n86400,1,1,1,1\n", "1d")) == ["1970-01-02 00:00"]
