"""Files that are read while they are written. Not synced: what the probe writes is measured anew in seconds."""

from __future__ import annotations

from pathlib import Path


def replace(path: Path, text: str, mode: int) -> None:
    """Whole or not at all. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=mode, exist_ok=False)
    new.chmod(mode)  # whatever the umask is
    new.write_text(text)
    new.replace(path)
