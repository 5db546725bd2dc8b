"""`.venv/bin/python -P -m benchmarks.logbook`: how fast a log book of 100 MB is parsed, and appended to,
and one of 100,000 entries searched.

Needs no host. Exits 1 when a target is missed. Each measurement is a process of its own: peak memory is a process's.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from runtime.journal import book
from runtime.journal.filters import Filter
from runtime.journal.index import Index
from runtime.journal.index import place as index_place
from runtime.journal.replace import append

SIZE = 100_000_000
ENTRIES = 100_000
ROOT = Path(__file__).parents[1]
QUESTIONS = ("zorglub", "essai", "séances deploiement*", '"essai 17"', "vérifier demo", "buy xauusd m5")
ALERT = """## 2026-03-{day:02} {hour:02}:{minute:02} | TV Webhook | DEMO | XAUUSD M5 | BUY
1. **Signal**: `BUY`
2. **Engine**: `DEMO`
3. **Symbol/TF**: `XAUUSD` / `M5`
4. **Price**: `2000.5`
5. **TP**: `2010.0`
6. **SL**: `1995.0`
7. **Reason**: essai {number}
8. **Payload brut**:
```json
{{
  "engine": "DEMO",
  "reason": "essai {number}"
}}
```

"""
SESSION = """## 2026-03-{day:02} {hour:02}:{minute:02} — Séance {number}
1) Objectifs:
- Déployer, vérifier, écrire.

2) Actions:
- Une ligne assez longue pour ressembler à ce que contient une vraie séance de travail sur un hôte.

3) Décisions:
—

4) Commandes / Code:
```bash
# pas un titre
./inv deploy --host lab
```

5) Points ouverts (next):
- Un point.

"""


def main(names: list[str]) -> int:
    if names:
        print(json.dumps(MEASURES[names[0]](Path(names[1]))))
        return 0
    met = True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.md"
        path.write_bytes(generated())
        for name in MEASURES:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "benchmarks.logbook", name, path],
                check=True,
                capture_output=True,
                text=True,
            )
            for what, value, target, good in json.loads(done.stdout):
                print(f"{what:<42} {value:>10} {target:>10} {'' if good else 'MISSED'}")
                met = met and good
    return 0 if met else 1


def generated() -> bytes:
    """Nine alerts to a session, up to SIZE bytes."""
    round_ = "".join(
        (SESSION if number % 10 == 9 else ALERT).format(
            day=number // 1440 + 1, hour=number // 60 % 24, minute=number % 60, number=number
        )
        for number in range(1440 * 28)
    ).encode()
    return (round_ * (SIZE // len(round_) + 1))[:SIZE]


def parse(path: Path) -> list[tuple[str, str, str, bool]]:
    """The best of three, each on the file's bytes; then what reading it cost in memory."""
    before, data = peak(), path.read_bytes()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        found = book.parse(data)
        times.append(time.perf_counter() - began)
    used = (peak() - before) / len(data)
    speed = len(data) / 1e6 / min(times)
    return [
        (f"parse, {len(found):,} pieces", f"{speed:.0f} MB/s", ">= 50", speed >= 50),
        ("  memory, the file's bytes included", f"{used:.2f} x", "< 2", used < 2),
    ]


def kinds(path: Path) -> list[tuple[str, str, str, bool]]:
    """Reading, parsing, and telling each entry's kind and line."""
    before, began = peak(), time.perf_counter()
    found = book.read(path)
    Counter(entry.kind for entry in found.pieces())
    speed = len(found.data) / 1e6 / (time.perf_counter() - began)
    used = (peak() - before) / len(found.data)
    return [
        ("read, parse, line and kind of each entry", f"{speed:.0f} MB/s", "", True),
        ("  memory, the file's bytes included", f"{used:.2f} x", "< 2", used < 2),
    ]


def appended(path: Path) -> list[tuple[str, str, str, bool]]:
    """Synced, to the large file and to an empty one."""
    large = median(path)
    small = median(path.with_name("small.md"))
    return [
        ("append an entry to it, synced", f"{large:.2f} ms", "<= 5", large <= 5),
        ("  to an empty one", f"{small:.2f} ms", "", True),
    ]


def searched(path: Path) -> list[tuple[str, str, str, bool]]:
    """On 100,000 entries: making the index, questions in this process (best of five), and one from a shell."""
    few = path.with_name("entries.md")
    few.write_bytes(b"".join(entry.raw for entry in itertools.islice(book.parse(path.read_bytes()).pieces(), ENTRIES)))
    index = Index(few, path.with_name("entries.index"))
    began = time.perf_counter()
    index.refresh()
    made = time.perf_counter() - began
    append(few, SESSION.format(day=28, hour=23, minute=59, number="zorglub").encode())
    began = time.perf_counter()
    index.refresh()
    grown = (time.perf_counter() - began) * 1000
    times = {question: asked(index, question) for question in QUESTIONS}
    slowest = max(times, key=lambda question: times[question])
    # The first one indexes: it is another process's index, in the checkout's cache.
    subprocess.run([ROOT / "inv", "journal.search", "zorglub", "--file", few], check=True, capture_output=True)
    began = time.perf_counter()
    subprocess.run([ROOT / "inv", "journal.search", "zorglub", "--file", few], check=True, capture_output=True)
    shell = (time.perf_counter() - began) * 1000
    index_place(few).unlink(missing_ok=True)
    return [
        (f"index {ENTRIES:,} entries, {few.stat().st_size / 1e6:.0f} MB", f"{made:.1f} s", "", True),
        ("  after an append", f"{grown:.0f} ms", "", True),
        (
            f"search: slowest of {len(times)}, {slowest}",
            f"{times[slowest]:.0f} ms",
            "<= 100",
            times[slowest] <= 100,
        ),
        ("  one word that stands once", f"{times['zorglub']:.1f} ms", "<= 100", times["zorglub"] <= 100),
        ("  the same, from the shell to the prompt", f"{shell:.0f} ms", "", True),
    ]


def asked(index: Index, question: str) -> float:
    """Milliseconds, the check that the index is fresh included."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        with index.asking() as asking:
            asking.search(question, Filter(), limit=20)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def saved(path: Path) -> list[tuple[str, str, str, bool]]:
    """`journal.save` without a model, from Ctrl-D (the end of its input) to committed: a session of 50 kB."""
    folder = path.with_name("repository")
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)
    times = sorted(_saved(folder) for _ in range(5))
    return [("save without a model, Ctrl-D to committed", f"{times[2]:.2f} s", "<= 1", times[2] <= 1)]


def _saved(folder: Path) -> float:
    command = [sys.executable, "-P", "-m", "runtime.journal", "save", "Séance", "--no-model"]
    environment = {**os.environ, "JOURNAL_PATH": str(folder / "journal.md"), "PYTHONPATH": str(Path.cwd())}
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **options) as run:
        assert run.stdin
        run.stdin.write(SESSION.encode() * 150)
        run.stdin.flush()
        time.sleep(2)  # a person has pasted, and presses Ctrl-D
        began = time.perf_counter()
        run.stdin.close()
        assert run.wait() == 0
        return time.perf_counter() - began


def median(path: Path) -> float:
    times = []
    for number in range(200):
        entry = ALERT.format(day=1, hour=0, minute=0, number=number).encode()
        began = time.perf_counter()
        append(path, entry)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def peak() -> int:
    """This process's highest memory so far, in bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


MEASURES = {"parse": parse, "kinds": kinds, "append": appended, "search": searched, "save": saved}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
