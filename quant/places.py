"""Where quant keeps things: relative paths count from the checkout, or on a host from where the command is run."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def home() -> Path:
    """The checkout that this package lies in; the current directory when it was installed from a wheel."""
    root = PACKAGE.parent
    return root if (root / "inventory.yaml").exists() else Path.cwd()


def reports() -> Path:
    """Each run has a folder in it, named by its run id."""
    return home() / "reports"
