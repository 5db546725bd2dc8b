"""How fast sticks are at some frequencies: shares of what was promised, measured, and everything put back.

cgminer's five-minute average is of no use for less than that, so nonces are counted: each stands for 2^32 hashes times
the difficulty that the driver filters with (`TicketDiff`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from miner.cgminer import Client, MinerState, OutOfRange, StickState
from miner.cgminer.reply import number
from runtime.clock import steady

Json = dict[str, Any]
HASHES = 2**32 / 1e9
"""Thousand millions of hashes for a nonce of difficulty 1."""


async def run(client: Client, stick: str, frequencies: list[float], seconds: float) -> Json:
    """`stick`: one serial number, "": all. No frequencies: as they run now. What a stick ran at is set again, whatever
    happens. Raises CgminerError."""
    sticks = _chosen(await client.state(), stick)
    rows: list[Json] = []
    try:
        for mhz in frequencies:
            for one in sticks:
                await client.set_frequency(str(one.serial), mhz)
            rows += await _measure(client, sticks, mhz, seconds)
        if not frequencies:
            rows += await _measure(client, sticks, None, seconds)
    finally:
        for one in sticks if frequencies else ():
            if one.mhz is not None:
                await client.set_frequency(str(one.serial), one.mhz)
    return {"seconds": seconds, "rows": rows}


def _chosen(state: MinerState, stick: str) -> list[StickState]:
    there = [one for one in state.sticks if not one.gone and one.serial and stick in ("", one.serial)]
    if not there:
        raise OutOfRange(f"cgminer has no stick {stick}".rstrip() + "; ./inv miner.detect shows what is plugged in")
    return there


async def _measure(client: Client, sticks: list[StickState], mhz: float | None, seconds: float) -> list[Json]:
    before, began = await _work(client), steady()
    await asyncio.sleep(seconds)
    after, spent = await _work(client), steady() - began
    state = await client.state()
    return [_row(one, state.stick(str(one.serial)), mhz, before, after, spent) for one in sticks]


async def _work(client: Client) -> dict[str, float]:
    """Hashes in thousand millions that each serial number's nonces stand for, so far."""
    found = {}
    for row in await client.stats():
        nonces, difficulty = number(row, "TicketNonces", "Nonces"), number(row, "TicketDiff") or 1
        if isinstance(row.get("Serial"), str) and nonces is not None:
            found[row["Serial"]] = nonces * difficulty * HASHES
    return found


def _row(one: StickState, now: StickState | None, mhz: float | None, before: Json, after: Json, spent: float) -> Json:
    """`one` as it was chosen, `now` as it is, None when it has gone. What cannot be told is None."""
    row: Json = {"serial": one.serial, "mhz": mhz} | dict.fromkeys(("ghs", "expected_ghs", "ratio", "hw_errors"))
    if now is None:
        return row
    row |= {"mhz": now.mhz, "expected_ghs": now.expected_ghs, "hw_errors": now.hw_errors}
    if one.serial in before and one.serial in after:
        ghs = (after[one.serial] - before[one.serial]) / spent
        row |= {"ghs": round(ghs, 2), "ratio": round(ghs / now.expected_ghs, 3) if now.expected_ghs else None}
    return row
