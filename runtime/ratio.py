"""Exact numbers, cheaply: what a few products and one division make of decimals.

`fractions.Fraction` reduces after each step, which costs more than the step; here nothing is ever reduced, because no
figure goes through more than a handful of steps. `float()` rounds to the nearest, as Fraction's does.
"""

from __future__ import annotations

from decimal import Decimal


class Ratio:
    """`over / under`, with `under` above 0. Only what is above 0 may divide."""

    __slots__ = ("over", "under")

    def __init__(self, over: int, under: int = 1) -> None:
        self.over = over
        self.under = under

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio(self.over * other.over, self.under * other.under)

    def __truediv__(self, other: Ratio) -> Ratio:
        return Ratio(self.over * other.under, self.under * other.over)

    def __floordiv__(self, other: Ratio) -> int:
        return self.over * other.under // (self.under * other.over)

    def __sub__(self, other: Ratio) -> Ratio:
        return Ratio(self.over * other.under - other.over * self.under, self.under * other.under)

    def __abs__(self) -> Ratio:
        return self if self.over >= 0 else Ratio(-self.over, self.under)

    def __lt__(self, other: Ratio) -> bool:
        return self.over * other.under < other.over * self.under

    def __float__(self) -> float:
        return self.over / self.under  # correctly rounded for integers of any size


def exact(value: float) -> Ratio:
    """The decimal number somebody wrote: 0.1 is one tenth."""
    written = repr(value)
    whole, _, part = written.partition(".")
    if part.isdigit():
        return Ratio(int(whole + part), 10 ** len(part))
    return Ratio(*Decimal(written).as_integer_ratio())
