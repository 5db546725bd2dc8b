"""What every `python -m quant.NAME` shares: arguments in, a result or one clear error out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from quant.errors import QuantError, UsageError

Run = Callable[[argparse.Namespace], int]
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """argparse with our error: one line, and what to do."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message, hint=f"see {self.prog} --help")


def main(parser: Parser, run: Run, arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a failure, 2 for a wrong use, 130 for Ctrl-C. Errors go to stderr as one message."""
    try:
        return run(parser.parse_args(arguments))
    except QuantError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing is half-written, the same command goes on\n")
        return INTERRUPTED
    except BrokenPipeError:
        return 0
