"""A program built from source: git, autotools, an unprivileged user, and proof of what came out.

`root`/REF-HASH holds one build, `root`/current points at the one in use and `root`/previous at the one before. HASH is
of everything that goes into a build, so another one is made only when something of that changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from .. import files
from ..host import LOGS, STATE, HostError, last_lines, run
from .base import Change, Kind, State, Want
from .command import _as
from .watched import Say, watched

RECIPE = 1
"""Raised when the steps below change what comes out: every host then builds anew."""
LONG = 4 * 3600.0
"""Seconds for one step. A small board takes an hour where a desktop takes half a minute."""
ANSWER = 30.0
"""Seconds that the repository has to say where its branches are."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OPTION = re.compile(r"(?<![\w-])--[a-z0-9][a-z0-9-]*")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}


class Build(Kind):
    """want: root, url, ref, configure (flags), cflags, user, program, offers (its --help shows these), links (libraries
    that it is linked with), advice (what to set when it does not), keep (how many builds)."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def read(self, want: Want) -> State:
        root = Path(want["root"])
        links = {name: files.look(str(root / name)) for name in ("current", "previous")}
        current = Path(links["current"].get("target", "")).name
        state: State = {"links": links, "current": current, "unasked": ""}
        try:
            state["target"] = name_of(want, _resolve(want))
        except HostError as error:
            state["unasked"] = str(error)
            state["target"] = current if _same(_record(root / current), want) else ""
        return state | {"record": _record(root / state["target"]) if state["target"] else {}}

    def changes(self, state: State, want: Want) -> list[Change]:
        if not state["target"]:
            return [Change("build", state["current"] or "absent", f"{want['url']} at {want['ref']}")]
        found = [] if state["record"] else [Change("build", "absent", state["target"])]
        if state["current"] != state["target"]:
            found.append(Change("current", state["current"] or "absent", state["target"]))
        lacking = _lacking(state["record"], want) if state["record"] else []
        return found + [Change(word, "not offered", "offered") for word in lacking]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        root = Path(want["root"])
        commit = _resolve(want)
        home = root / name_of(want, commit)
        if not _record(home):
            self._build(want, commit, home)
        _prove(want, home)
        if state["current"] not in ("", home.name):
            files.link(str(root / "previous"), state["current"])
        files.make_way(str(root / "current"), state["links"]["current"]["type"], "symlink")
        files.link(str(root / "current"), home.name)
        _retire(want)

    def _build(self, want: Want, commit: str, home: Path) -> None:
        """The tree is a new one, and gone afterwards; the log stays, of a build that fails too."""
        tree, log = home.parent / ".build" / home.name, log_of(want, home.name)
        files.remove_tree(tree.parent)
        files.remove_tree(home)
        tree.mkdir(parents=True, mode=0o700)
        log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        began = time.monotonic()
        try:
            uid, gid = files.ids(want["user"], "root")
            os.chown(tree, uid, gid)
            self._steps(want, commit, tree, home, log)
            _install(want, tree, home)
            _write_record(want, commit, home, time.monotonic() - began)
        except BaseException:
            files.remove_tree(home)
            raise
        finally:
            files.remove_tree(tree.parent)

    def _steps(self, want: Want, commit: str, tree: Path, home: Path, log: Path) -> None:
        options = _as(want | {"cwd": str(tree)})
        make = {"CFLAGS": want["cflags"], "NOCONFIGURE": "1", "HOME": str(tree)}
        options["env"] = {**options.get("env", {}), **_QUIET, **make, **_path()}
        steps = _recipe(want, commit, tree, home)
        for number, (title, argv) in enumerate(steps, 1):
            self._say("say", f"building {home.name}, {number} of {len(steps)}: {title}")
            try:
                watched(argv, log, LONG, lambda line: self._say("progress", f"{home.name}: {line}"), options)
            except HostError as error:
                raise HostError(f"{title}: {error}", f"the whole output is in {log} on the host") from error

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return {"links": [files.keep(look, str(Path(want["root"]) / name)) for name, look in state["links"].items()]}

    def restore(self, kept: dict[str, Any]) -> None:
        """Points back at the build that ran; the new one stays for the next try."""
        for link in kept["links"]:
            files.restore(link)

    def skipped(self, state: State, want: Want) -> str:
        said = last_lines(state["unasked"], 1) if state["unasked"] else ""
        return f"{state['current']} stays: its repository could not be asked ({said})" if said else ""


def name_of(want: Want, commit: str) -> str:
    """REF-HASH"""
    said = json.dumps(_inputs(want) | {"commit": commit}, sort_keys=True)
    ref = want["ref"][:12] if _COMMIT.fullmatch(want["ref"]) else want["ref"].replace("/", "-")
    return f"{ref}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def log_of(want: Want, name: str) -> Path:
    return LOGS / f"build-{want['program']}-{name}.log"


def _inputs(want: Want) -> dict[str, Any]:
    return {key: want[key] for key in ("url", "ref", "configure", "cflags", "program")} | {"recipe": RECIPE}


def _same(record: dict[str, Any], want: Want) -> bool:
    return bool(record) and {key: record["inputs"].get(key) for key in _inputs(want)} == _inputs(want)


def _record(home: Path) -> dict[str, Any]:
    """A build counts once its last file is written; {} otherwise."""
    try:
        loaded = json.loads((home / "build.json").read_text())
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) and "inputs" in loaded else {}


def _resolve(want: Want) -> str:
    """The commit that the ref names now. A full commit needs no network."""
    ref = str(want["ref"])
    if _COMMIT.fullmatch(ref):
        return ref
    options = _as(want | {"cwd": "/"})
    options["env"] = {**options.get("env", {}), **_QUIET, **_path()}
    # whole names: ls-remote takes "main" for refs/heads/their/main too. An annotated tag has its commit under ^{}
    names = [f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}"]
    try:
        said = run("git", "ls-remote", "--", want["url"], *names, timeout=ANSWER, bound=True, **options).stdout
    except HostError as error:
        raise HostError(str(error), want["advice"]) from error
    found = {name: commit for commit, name in (line.split() for line in said.splitlines())}
    commit = next((found[name] for name in names if name in found), "")
    if not commit:
        raise HostError(f'{want["url"]} has no branch or tag "{ref}"', want["advice"])
    return commit


def _recipe(want: Want, commit: str, tree: Path, home: Path) -> list[tuple[str, list[str]]]:
    """Titles and commands, run in the tree by the build's own user."""
    nice = ["nice", "-n", "10"]
    flags = [f"--prefix={home}", *want["configure"]]
    fetch = (
        'git init -q . && { git fetch -q --depth 1 "$0" "$1" || git fetch -q --tags "$0" "+refs/heads/*:refs/x/*"; }'
    )
    generate = (
        'test ! -e autogen.sh && exec autoreconf -fi; test -x autogen.sh || chmod +x autogen.sh; ./autogen.sh "$@"'
    )
    return [
        ("fetching the source", ["sh", "-c", f'{fetch} && git checkout -q "$1"', want["url"], commit]),
        ("autogen.sh", [*nice, "sh", "-c", generate, "autogen", *flags]),
        ("configure", [*nice, "./configure", *flags]),
        ("make", [*nice, "make", f"-j{os.cpu_count() or 1}"]),
        ("make install", [*nice, "make", "install", f"DESTDIR={tree}/stage"]),
    ]


def _path() -> dict[str, str]:
    from ..host import ENV

    return {"PATH": ENV["PATH"], "LC_ALL": ENV["LC_ALL"]}


def _install(want: Want, tree: Path, home: Path) -> None:
    """The program alone, read by its builder: nothing in a stranger's tree is followed by root."""
    place = f"stage{home}/bin/{want['program']}"
    draft = home / "bin" / want["program"]
    draft.parent.mkdir(parents=True, mode=0o755)
    with draft.open("wb") as out:
        done = run("cat", place, **{**_as(want | {"cwd": str(tree)}), "stdout": out}, check=False)
    if done.returncode or not draft.stat().st_size:
        raise HostError(f"make install put no bin/{want['program']} anywhere", want["advice"])
    draft.chmod(0o755)


def _write_record(want: Want, commit: str, home: Path, seconds: float) -> None:
    program, options = str(home / "bin" / want["program"]), _as(want | {"cwd": "/"})
    said = run(program, "--help", check=False, bound=True, **options)
    linked = run("ldd", program, check=False, **options).stdout
    record = {"inputs": _inputs(want) | {"commit": commit}, "seconds": round(seconds, 1)}
    record |= {"options": sorted(set(_OPTION.findall(said.stdout + said.stderr)))}
    record |= {"links": sorted({line.split()[0] for line in linked.splitlines() if line.strip()})}
    files.write(home / "build.json", json.dumps(record, indent=1).encode())


def _lacking(record: dict[str, Any], want: Want) -> list[str]:
    links = [name for name in want["links"] if not any(one.startswith(name) for one in record["links"])]
    return [word for word in want["offers"] if word not in record["options"]] + links


def _prove(want: Want, home: Path) -> None:
    record = _record(home)
    if not (lacking := _lacking(record, want)):
        return
    what = f"{want['program']} built from {want['url']} at {want['ref']} ({record['inputs']['commit'][:12]})"
    raise HostError(f"{what} does not offer {', '.join(lacking)}", want["advice"])


def _retire(want: Want) -> None:
    """Keeps the newest builds, the two that are pointed at, and those that a rollback may come back to."""
    root = Path(want["root"])
    stays = {(root / name).readlink().name for name in ("current", "previous") if (root / name).is_symlink()}
    stays |= {Path(link.get("target", "")).name for note in _undo() for link in note["kept"]["links"]}
    built = sorted(root.glob("*/build.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    built = [path for path in built if not path.parent.is_symlink()]
    for path in built[int(want["keep"]) :]:
        if path.parent.name not in stays:
            files.remove_tree(path.parent)


def _undo() -> list[dict[str, Any]]:
    notes = [json.loads(path.read_text()) for path in (STATE / "undo").glob("[0-9]*.json")]
    return [note for note in notes if note["kind"] == "build"]
