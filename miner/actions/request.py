"""How the monitor asks root: a file without content, whose name says everything. Standard library only.

`requests/BOOT-ID.restart` or `requests/BOOT-ID.power.PORT`, with the first 8 hex digits of the kernel's boot id and 12
random ones; the answer is `results/BOOT-ID.json`: `{"ok": bool, "code": "...", "detail": "..."}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PORT = re.compile(r"(\d{1,3}-(?:\d{1,2}\.)*)(\d{1,2})", re.ASCII)
_NAME = re.compile(r"([0-9a-f]{8}-[0-9a-f]{12})\.(?:(restart)|power\.(\d{1,3}-\d{1,2}(?:\.\d{1,2}){0,6}))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """`port` "": restart the miner; else give that USB port's power a break. A port is written as sysfs does: 1-1.4."""

    id: str
    port: str = ""

    @property
    def name(self) -> str:
        return f"{self.id}.power.{self.port}" if self.port else f"{self.id}.restart"

    @property
    def boot(self) -> str:
        return self.id[:8]


def parse(name: str) -> Request | None:
    """The request of that name; None for any other name."""
    match = _NAME.fullmatch(name)
    return Request(match[1], match[3] or "") if match else None


def boot() -> str:
    """What tells this boot from others, as it stands in a request's id. Raises OSError."""
    return BOOT_ID.read_text().strip()[:8]


def hub_and_port(port: str) -> tuple[str, str]:
    """`1-1.4` is port 4 of the hub 1-1; `1-4` is port 4 of bus 1's own hub. Raises ValueError for anything else."""
    match = PORT.fullmatch(port)
    if not match:
        raise ValueError(f"{port!r} is not a USB port such as 1-1.4")
    return match[1].rstrip("-."), match[2]


def allowed(port: str, patterns: tuple[str, ...]) -> bool:
    """Whether a port is one of `patterns`: ports, or all of one hub's as `1-1.*`."""
    match = PORT.fullmatch(port)
    return match is not None and (port in patterns or f"{match[1]}*" in patterns)
