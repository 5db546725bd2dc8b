"""What can go wrong in quant, as a person reads it.

QuantError (exit 1)
 ├── UsageError (exit 2): the command line or config.yaml is wrong
 ├── BadData: candles that cannot be believed, or too few of them
 ├── NoData: nothing is stored under that name
 ├── StoreFailed: where candles are kept cannot be read or written
 ├── ExchangeFailed: the exchange cannot be reached, or refuses
 ├── ClusterFailed: scheduler or workers cannot be reached, were lost, or are of another version
 └── StrategyFailed: a strategy raised, or gave signals that cannot be
"""

from __future__ import annotations


class QuantError(Exception):
    """A failure told to a person: `message` says what failed, with which value, `hint` what to do. Exit is `code`."""

    code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Exceptions with keyword arguments do not come back from another process by themselves."""
        return _made_again, (type(self), self.message, self.hint)


class UsageError(QuantError):
    """The command was called wrongly, or config.yaml says what cannot be; the message lists every problem."""

    code = 2


class BadData(QuantError):
    """Rows that cannot be candles, or too few bars for what was asked."""


class NoData(QuantError):
    """Nothing is stored under that name."""


class StoreFailed(QuantError):
    """Where candles are kept cannot be reached, read or written."""


class ExchangeFailed(QuantError):
    """The exchange cannot be reached, or refuses what was asked."""


class ClusterFailed(QuantError):
    """Scheduler or workers cannot be reached, were lost, or are of another version than this program."""


class StrategyFailed(QuantError):
    """A strategy raised, or its signals have the wrong shape or values."""


def _made_again(kind: type[QuantError], message: str, hint: str | None) -> QuantError:
    return kind(message, hint=hint)
