"""Where candles come from, and what is traded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from quant.config.base import Section
from quant.errors import UsageError
from quant.timeframe import Timeframe


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _timeframe(text: str) -> str:
    try:
        return Timeframe.of(text).text
    except UsageError as error:
        raise ValueError(str(error).replace("\n", " ")) from None


Moment = Annotated[datetime, AfterValidator(_aware)]
"""UTC unless it says otherwise; a date is its midnight."""
Positive = Annotated[float, Field(gt=0, le=1e15)]
Amount = Annotated[float, Field(ge=0, le=1e15)]


class Exchange(Section):
    """`api_url`: where the exchange answers instead of its own address. `id` None: whichever source has the symbol."""

    id: str | None = None
    api_url: str | None = None
    timeout: float = Field(default=30.0, gt=0, description="seconds for one answer")
    retries: int = Field(default=8, ge=0, description="of one request, with growing pauses")


class Data(Section):
    """`url`: a folder, or any fsspec address (s3://bucket/folder). `endpoint_url`: where an S3-compatible store answers
    (keys come from the environment or AWS's own files, never from here). `since`, `until`: bars that open in [since,
    until).
    """

    symbol: str = Field(min_length=1)
    timeframe: Annotated[str, AfterValidator(_timeframe)]
    url: str = "data"
    endpoint_url: str | None = Field(default=None, pattern=r"^https?://[^@]+$")
    since: Moment | date | None = None
    until: Moment | date | None = None


class Instrument(Section):
    """`contract`: linear (paid in the quote currency) or inverse (COIN-M: margin and profit in the coin).

    `contract_value`: units of the underlying in one (linear, 1 when not given), or USD in one (inverse; then
    quantities are in contracts, otherwise in coins at the entry price), as in the webhook's risk module. `tick_size`
    None: found in the prices. `qty_step` 0: any quantity.
    """

    contract: Literal["linear", "inverse"] = "linear"
    contract_value: Positive | None = None
    tick_size: Positive | None = None
    qty_step: Amount = 0.0
    min_qty: Amount = 0.0
    min_notional: Amount = 0.0
    max_leverage: float = Field(default=1.0, gt=0, le=1000)
    maintenance_margin: float = Field(default=0.005, ge=0, lt=1, description="of the value; below: liquidation")


class Costs(Section):
    """Of each fill, both sides: `taker_fee` of the value for fills at market (signals, stops), `maker_fee` for targets;
    `slippage` of the price plus `slippage_ticks`, always against us, on fills at market. `funding`: counted where
    stored.
    """

    taker_fee: float = Field(default=0.0005, ge=-0.01, le=0.1)
    maker_fee: float | None = Field(default=None, ge=-0.01, le=0.1)
    slippage: float = Field(default=0.0, ge=0, le=0.1)
    slippage_ticks: float = Field(default=0.0, ge=0, le=1000)
    funding: bool = True
