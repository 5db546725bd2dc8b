"""Small things about sentences."""

from __future__ import annotations


def many(count: int, noun: str) -> str:
    """`1 bar`, `2,000 bars`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
