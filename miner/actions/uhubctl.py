"""uhubctl 2.5 (Debian 12): its command line, and what it prints.

Source: its own help and the text it printed for a hub with switchable ports (tests/miner/fixtures/uhubctl). It exits 0
also when a port did not go off, so what it printed decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from miner.actions.request import hub_and_port

OFF_SECONDS = 5
"""A stick's capacitors keep its chip alive for a moment."""
_HUB = re.compile(r"(?:Current|New) status for hub (\S+)")
_PORT = re.compile(r"\s+Port (\d+): ([0-9a-f]{4})\b ?(.*)")


@dataclass(frozen=True, slots=True)
class PortStatus:
    """One line about a port. `words`: `off`, `power`, `enable`, `connect` and the device's description."""

    hub: str
    port: str
    bits: int
    words: str

    @property
    def off(self) -> bool:
        return "off" in self.words.split()


def cycle(program: str, port: str) -> list[str]:
    """The command that gives a port's power a break."""
    hub, number = hub_and_port(port)
    return [program, "-l", hub, "-p", number, "-a", "cycle", "-d", str(OFF_SECONDS)]


def statuses(text: str) -> list[PortStatus]:
    """Every line about a port, in the order printed: before, off, on again."""
    found, hub = [], ""
    for line in text.splitlines():
        if match := _HUB.match(line):
            hub = match[1]
        elif match := _PORT.match(line):
            found.append(PortStatus(hub, match[1], int(match[2], 16), match[3]))
    return found


def switchable(text: str) -> bool:
    """False when it found no hub there that can switch its ports."""
    return "No compatible devices detected" not in text


def cycled(text: str, port: str) -> bool:
    """Whether the port was seen without power, and after that with it."""
    hub, number = hub_and_port(port)
    seen = [one.off for one in statuses(text) if (one.hub, one.port) == (hub, number)]
    return True in seen and not seen[-1]
