"""A value that is kept out of every output. Light: programs that must start at once use it."""

from __future__ import annotations


class Secret:
    """A value that never shows itself: `str` and `repr` are stars, `reveal()` is the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for comparing; never for a log."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('********')"

    __str__ = __repr__
