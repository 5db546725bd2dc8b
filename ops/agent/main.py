"""One run: read the document, take the lock, fetch missing wheels, apply, check health, settle or roll back."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, BinaryIO, NoReturn

from . import health
from .channel import Channel
from .engine import Engine, Tally
from .host import HostError, explain, facts
from .kinds.release import missing_blobs, receive
from .memory import Lock, Memory, audit
from .rollback import roll_back

Document = dict[str, Any]


def main(source: BinaryIO) -> NoReturn:
    """The outcome is the last event; the exit status says nothing."""
    for name in (signal.SIGHUP, signal.SIGPIPE):
        signal.signal(name, signal.SIG_IGN)  # a controller that goes away must not kill us between two resources
    os.umask(0o022)
    # answers go to the real stdout; anything a library prints goes to stderr, never into the protocol
    sink = os.dup(1)
    os.dup2(2, 1)
    channel = Channel(source, sink)
    document = channel.read_document()
    try:
        _session(document, channel)
    except (HostError, OSError, EOFError) as error:
        _fatal(channel, error)
    except Exception:
        import traceback

        channel.emit("fatal", message="the agent failed", trace=traceback.format_exc(limit=-6))
    # the thread that waits for the controller's next word would keep a normal exit waiting for a second
    os._exit(0)


def _fatal(channel: Channel, error: Exception) -> None:
    told = explain(error) if isinstance(error, OSError) else error
    channel.emit("fatal", message=str(told) or "the controller went away", hint=getattr(told, "hint", ""))


def _session(document: Document, channel: Channel) -> None:
    if document["mode"] == "doctor":  # on any machine: that it is the wrong one may be what is wrong
        from . import doctor

        channel.listen()
        channel.emit("end", outcome="done", **doctor.look(document))
        return
    _same_machine(document["facts"])
    if document["mode"] == "status":
        from . import status

        channel.emit("end", outcome="done", **status.look(document))
        return
    if document["mode"] == "plan":
        memory = Memory()
        channel.listen()
        tally = Engine(document, memory, channel).run()
        channel.emit("end", outcome=_outcome(tally), interrupted=tally.interrupted)
        return
    run = document["run"]
    lock = Lock(run["who"], run["why"])
    lock.take(document["lock_wait"], lambda text: channel.emit("say", text=text))
    memory = Memory()  # not before the lock is ours: the run we waited for wrote it
    memory.prepare()
    audit({"run": run["id"], "begin": run["why"], "who": run["who"], "release": run["release"]})
    started = time.monotonic()
    try:
        ended = _apply(document, memory, channel)
    except BaseException as error:
        audit({"run": run["id"], "end": "failed", "error": str(error) or type(error).__name__})
        raise
    ended |= {"seconds": round(time.monotonic() - started, 3)}
    audit(
        {"run": run["id"], "end": ended["outcome"], **{k: v for k, v in ended.items() if k not in ("outcome", "check")}}
    )
    channel.emit("end", **ended)


def _same_machine(expected: dict[str, str]) -> None:
    found = facts()
    if found["os"] != expected["os"]:
        raise HostError(
            f"this host runs {found['os']}; these roles are for {expected['os']}", "install Debian 12 on it"
        )
    for key in ("arch", "python"):
        if found[key] != expected[key]:
            hint = f'set `{key}: "{found[key]}"` for it in inventory.yaml'
            raise HostError(f"this host has {key} {found[key]}, but the inventory says {expected[key]}", hint)


def _apply(document: Document, memory: Memory, channel: Channel) -> dict[str, Any]:
    releases = [item["want"] for item in document["resources"] if item["kind"] == "release"]
    if names := missing_blobs(releases):
        channel.ask_blobs(names, receive)
    channel.listen()
    engine = Engine(document, memory, channel)
    tally = engine.run()
    ended: dict[str, Any] = {"changed": tally.changed, "failed": tally.failed}
    if tally.interrupted and not tally.unit_failed:
        memory.save()
        return ended | {"outcome": "interrupted", "interrupted": tally.interrupted}
    sick = "" if tally.unit_failed else _gate(document["checks"], tally, engine, channel)
    if tally.unit_failed or sick:
        return ended | _undo(memory, engine, sick, channel)
    if tally.failed:
        memory.save()
        return ended | {"outcome": "failed"}
    memory.managed.settle(document.get("only", ""), list(document["after"]))
    memory.settle()
    return ended | {"outcome": _outcome(tally)}


def _outcome(tally: Tally) -> str:
    if tally.interrupted:
        return "interrupted"
    return "failed" if tally.failed else "done"


def _gate(checks: list[dict[str, Any]], tally: Tally, engine: Engine, channel: Channel) -> str:
    """The first failing check in words, or ""; checks of a role that was stopped say nothing about this run."""
    for check in checks:
        if engine.is_stopped(check["role"]):
            continue
        start, name = time.perf_counter(), f"check:{health.describe(check)}"
        channel.emit("start", role=check["role"], resource=name)
        result, why = "ok", ""
        try:
            health.wait(check)
        except HostError as error:
            result, why = "failed", str(error)
            tally.failed.append(name)
        spent = round((time.perf_counter() - start) * 1000, 1)
        channel.emit("result", role=check["role"], resource=name, result=result, ms=spent, changes=[], why=why)
        if why:
            return why
    return ""


def _undo(memory: Memory, engine: Engine, sick: str, channel: Channel) -> dict[str, Any]:
    notes = [note["key"] for note in memory.undo_notes()]
    if not notes:
        return {"outcome": "failed", "check": sick}
    channel.emit("say", text=f"undoing {len(notes)} changes")
    problems = roll_back(memory, engine.kinds)
    memory.save()
    return {"outcome": "rolled-back", "undone": notes, "problems": problems, "check": sick}


if __name__ == "__main__":
    main(sys.stdin.buffer)
