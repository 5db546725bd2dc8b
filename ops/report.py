"""What a person sees: a progress line while hosts are worked on, then tables, diffs, and what to do next.

Progress goes to stderr, results to stdout, and no secret to either.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from ops.paths import CACHE
from ops.redact import Redactor

if TYPE_CHECKING:
    from ops.deploy import HostResult

STYLES = {
    "ok": "green", "changed": "yellow", "change": "yellow", "drift": "magenta", "failed": "bold red", "skipped": "cyan",
}  # fmt: skip
WIDTH = 120
"""Columns where there is no terminal to ask."""
CLEAR = "\r\x1b[K"


class Report:
    """Everything that reaches the terminal goes through here. Safe to call from several threads."""

    def __init__(self, *, err: TextIO | None = None, verbose: bool = True) -> None:
        self._err = err or sys.stderr
        self._is_terminal = self._err.isatty()
        self._verbose = verbose
        self._lock = threading.Lock()
        self._steps: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._redactor = Redactor({})
        self._start = time.monotonic()
        self.waiting = threading.Event()
        """Set once a host has the word and this process has nothing to do but wait."""

    def get_ready(self) -> None:
        """Loads what the tables need while the hosts are being waited for: 40 ms that nobody notices."""
        self.waiting.wait()
        import rich.console
        import rich.table  # noqa: F401

    def redact(self, values: Mapping[str, str]) -> None:
        """From here on these values appear as their names."""
        for name, value in values.items():  # two hosts may have a value each under one name: both are hidden
            while self._secrets.get(name, value) != value:
                name += "'"
            self._secrets[name] = value
        self._redactor = Redactor(self._secrets)

    def clean(self, text: str) -> str:
        return self._redactor(text)

    def clean_obj(self, value: Any) -> Any:
        return self._redactor.obj(value)

    def keep_trace(self, error: Exception) -> str:
        """Writes a fault's traceback where a person can look at it, and says where."""
        import traceback

        CACHE.mkdir(exist_ok=True)
        path = CACHE / "last-error.txt"
        path.write_text(self.clean("".join(traceback.format_exception(error))))
        return f"this is a fault in the tool; its traceback is in {path}"

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{CLEAR if self._is_terminal else ''}{self.clean(text)}\n", again=True)

    def step(self, host: str, what: str, number: int, total: int) -> None:
        """The moving line: what each host is doing."""
        if not self._is_terminal:
            return
        spent = time.monotonic() - self._start
        with self._lock:
            self._steps[host] = f"{host} {number}/{total} {what}"
            line = f"{spent:5.1f} s  " + "  |  ".join(self._steps.values())
        self._write(CLEAR + self.clean(line)[: get_terminal_size().columns - 1])

    def result(self, host: str, item: Mapping[str, Any]) -> None:
        """Without a terminal there is no moving line: what was done is said as it is done."""
        if not self._is_terminal and self._verbose and item["result"] not in ("ok", "skipped"):
            self.say(f"{host}: {item['result']} {item['role']} {item['resource']} ({item['ms']:.0f} ms)")

    def done(self, host: str) -> None:
        with self._lock:
            self._steps.pop(host, None)
        if self._is_terminal:
            self._write(CLEAR)

    def _write(self, text: str, *, again: bool = False) -> None:
        with self._lock:
            self._err.write(text)
            self._err.flush()


def show(results: Sequence[HostResult], *, mode: str, diffs: bool, out: TextIO | None = None) -> None:
    """The table of what was done (or would be), the diffs if asked for, what failed and why, and what to try next."""
    from rich.console import Console

    stream = out or sys.stdout
    # lines are wrapped by the terminal, never by us: words that are searched for stay together
    width = None if stream.isatty() else WIDTH
    console = Console(file=stream, highlight=False, soft_wrap=True, width=width)
    if any(result.resources for result in results):
        console.print(_table(results), soft_wrap=False)
    for result in results:
        if diffs:
            _diffs(console, result)
        _failures(console, result)
    for result in results:
        console.print(_summary(result, mode))
    _next(console, results, mode)


def _table(results: Sequence[HostResult]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("host", "role", "resource", "result"):
        table.add_column(title, overflow="fold")
    table.add_column("ms", justify="right")
    for result in results:
        for role, what, word, spent in _rows(result):
            table.add_row(result.host, role, Text(what), Text(word, STYLES.get(word, "")), f"{spent:.0f}")
    return table


def _rows(result: HostResult) -> list[tuple[str, str, str, float]]:
    """A row for each resource that is not simply ok; the rest is counted by role."""
    rows, quiet = [], dict[tuple[str, str], list[float]]()
    for item in result.resources:
        if item["result"] == "ok":
            words = "checks passed" if item["resource"].startswith("check:") else "as planned"
            quiet.setdefault((item["role"], words), []).append(item["ms"])
        else:
            rows.append((item["role"], item["resource"], item["result"], item["ms"]))
    return rows + [(role, f"{len(spent)} {words}", "ok", sum(spent)) for (role, words), spent in quiet.items()]


def _diffs(console: Any, result: HostResult) -> None:
    from rich.text import Text

    for item in result.resources:
        if not item.get("diff"):
            continue
        console.print(Text(f"{result.host}  {item['role']}  {item['resource']}", "bold"))
        for line in item["diff"].splitlines():
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            console.print(Text(f"    {line}", style))
        console.print()


def _skipped(console: Any, result: HostResult) -> None:
    """One line for each reason: what did not come to pass because of one failure is not a list to be read."""
    reasons = dict[str, list[str]]()
    for item in result.resources:
        if item["result"] == "skipped":
            reasons.setdefault(item.get("why", ""), []).append(item["resource"])
    for why, names in reasons.items():
        what = names[0] if len(names) == 1 else f"{len(names)} resources"
        _line(console, f"{result.host}: {what} skipped: {why}", "dim")


def _failures(console: Any, result: HostResult) -> None:
    _skipped(console, result)
    for item in result.resources:
        if item["result"] == "failed":
            _line(console, f"{result.host}: {item['role']}: {item['resource']} failed", "bold red")
            _line(console, _indented(item.get("why", "")))
            if item.get("hint"):
                _line(console, f"    -> {item['hint']}")
    if result.error:
        _line(console, f"error: {result.error}", "bold red")
    for problem in result.end.get("problems", ()):
        _line(console, f"{result.host}: could not be undone: {problem}", "bold red")


def _line(console: Any, text: str, style: str = "") -> None:
    """Never folded: what is shown may be a command or a fingerprint to copy."""
    from rich.text import Text

    console.print(Text(text, style), soft_wrap=True)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _summary(result: HostResult, mode: str) -> Any:
    from rich.text import Text

    count = len(result.resources)
    head = f"{result.host}: {result.seconds:.2f} s"
    release = f", release {result.release}" if result.release else ""
    words = {
        "done": f"{result.changed} {'would change' if mode == 'plan' else 'changed'} of {count}{release}",
        "failed": f"failed; {result.changed} changed before that" if result.changed else "failed; nothing was changed",
        "rolled-back": f"NOT deployed: {len(result.end.get('undone', ()))} changes were undone, "
        "the host is as it was after its last healthy deploy",
        "interrupted": f"interrupted ({result.end.get('interrupted', '')}): {result.changed} changed, the rest left",
    }
    style = {"done": "green", "interrupted": "yellow"}.get(result.outcome, "bold red")
    if result.end.get("problems"):
        words["rolled-back"] = "NOT deployed, and NOT everything could be undone (see above)"
    return Text(f"{head}, {words.get(result.outcome, result.outcome)}", style)


def _next(console: Any, results: Sequence[HostResult], mode: str) -> None:
    from rich.text import Text

    for result in results:
        if result.outcome == "done" and mode == "apply":
            for name, url in result.urls.items():
                console.print(Text(f"  {name:<10} {url}"))
            if result.urls:
                console.print(Text(f"next: ./inv alert.test --host {result.host}"))
        elif result.outcome == "interrupted":
            console.print(Text(f"next: ./inv deploy --host {result.host}   finishes what was begun"))
        elif mode == "plan" and result.changed:
            console.print(Text(f"next: ./inv deploy --host {result.host}   makes these changes; --diff shows them"))
