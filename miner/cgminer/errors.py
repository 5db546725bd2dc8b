"""What can go wrong between us and cgminer; the tree is described in the package."""

from __future__ import annotations


class CgminerError(Exception):
    """`str()` says what happened, and where to look."""


class ApiDown(CgminerError):
    """Nobody listens. cgminer listens some seconds after a pool is alive, and never while none is."""


class ApiSlow(CgminerError):
    """The exchange did not end in time."""


class ApiStrange(CgminerError):
    """What came is no reply of cgminer's."""


class ApiRefused(CgminerError):
    """A STATUS of `E` or `F`. `code` is cgminer's: 45 is access denied, 14 an unknown command, 10 no device."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class OutOfRange(CgminerError, ValueError):
    """A stick, a pool or a frequency that there is not."""
