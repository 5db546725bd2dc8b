"""What every `python -m quant.NAME` shares: arguments in, a result or one clear error out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from quant.errors import QuantError, UsageError

Run = Callable[[argparse.Namespace], int]
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """argparse with our error: one line, and what to do."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message, hint=f"see {self.prog} --help")


def main(parser: Parser, run: Run, arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a failure, 2 for a wrong use, 130 for Ctrl-C. Errors go to stderr as one message."""
    status = 0
    try:
        status = run(parser.parse_args(arguments))
        sys.stdout.flush()
        return status
    except QuantError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing is half-written, the same command goes on\n")
        return INTERRUPTED
    except BrokenPipeError:
        return status
    except OSError as error:  # the output's own place, or a file that nobody foresaw
        sys.stderr.write(f"error: {error.filename or 'the output'} cannot be used: {error.strerror}\n")
        return 1


def leave(status: int) -> NoReturn:
    """End a short command as it is, after `main`: taking apart what imports made is a sixth of its time, and nothing
    hangs on it. Not for one that has processes or semaphores of its own.
    """
    os._exit(status)
