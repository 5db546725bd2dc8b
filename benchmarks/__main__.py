"""`./inv bench`: measures on a fresh lab host, shows a table, keeps it in .cache/bench.json.

Exits 1 when a target is missed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from benchmarks import bed, figures
from benchmarks.figures import Figure
from benchmarks.measures import MEASURES

VERBOSE = (
    "mkdir -p /etc/ssh/sshd_config.d; echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/bench.conf; systemctl restart ssh"
)


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(MEASURES)
    if unknown:
        print(f"bench: no measurement {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    on, began, found = figures.machine(), time.monotonic(), list[Figure]()
    with bed.made(say) as place:
        bed.Probe(place.target()).run(VERBOSE)
        for name, measure in MEASURES.items():
            if not names or name in names or name == "first":
                say(f"{name}: {(measure.__doc__ or '').splitlines()[0]}")
                found += measure(place)
    figures.show(found, on)
    figures.save(found, on)
    say(f"{time.monotonic() - began:.0f} s")
    return 1 if any(figure.met is False for figure in found) else 0


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
