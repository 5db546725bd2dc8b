"""What the name of an engine says about it."""

from __future__ import annotations


def is_test(engine: str) -> bool:
    """True for `TV_TEST`, `NGROK_TEST` and `TEST*`, in any case: journalled, but kept out of the ledger."""
    name = engine.upper()
    return name in {"TV_TEST", "NGROK_TEST"} or name.startswith("TEST")
