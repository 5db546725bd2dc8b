"""Running git for the log book: never an editor, a prompt, a hook or a signature, and never without a time limit."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.journal import leftovers
from runtime.journal.scrub import masked
from runtime.settings import environment

LOCAL = 30.0
NETWORK = 120.0
"""Seconds that a git which talks to nobody, or to a remote, may take."""
_ALONE = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.pager=cat", "color.ui=false", "core.quotePath=false",
    "gc.auto=0", "maintenance.auto=false", "commit.gpgSign=false", "tag.gpgSign=false", "push.gpgSign=false",
    "log.showSignature=false", "submodule.recurse=false", "credential.interactive=false", "advice.detachedHead=false",
)  # fmt: skip
_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH", "GIT_SSL_", "GIT_PROXY_", "GIT_CONFIG_", "GIT_EXEC_PATH")
_SSH = "-oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=10 -oServerAliveCountMax=3"
_UNDER_WAY = {
    "rebase-merge": ("a rebase", "git rebase --continue"),
    "rebase-apply": ("a rebase", "git rebase --continue"),
    "MERGE_HEAD": ("a merge", "git merge --continue"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --continue"),
    "REVERT_HEAD": ("a revert", "git revert --continue"),
}


class VcsError(Exception):
    """Git did not do it; the message says what happened, `hint` what to do, `code` which kind of trouble it is."""

    def __init__(self, message: str, hint: str = "", code: str = "git") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True)
class Done:
    """How a git ended. `err` is in English, with secrets masked."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Repo:
    """The repository of a log book. `name` is the log book's path in it.

    A `bare` one lies beside a log book that services append to at any time: git never writes that file.
    """

    path: Path
    git_dir: Path
    top: Path
    name: str
    bare: bool

    def ask(self, *argv: str, data: bytes = b"", env: Mapping[str, str] | None = None, limit: float = LOCAL) -> Done:
        """Raises VcsError only when git cannot be run, or takes longer than `limit` seconds."""
        return run(self._where(), argv, data, env or {}, limit)

    def do(self, *argv: str, data: bytes = b"", env: Mapping[str, str] | None = None, limit: float = LOCAL) -> str:
        """What git prints, or VcsError with what it complained about."""
        return self.read(*argv, data=data, env=env, limit=limit).decode(errors="replace").strip()

    def read(self, *argv: str, data: bytes = b"", env: Mapping[str, str] | None = None, limit: float = LOCAL) -> bytes:
        done = self.ask(*argv, data=data, env=env, limit=limit)
        if done.code:
            raise VcsError(f"git {argv[0]} in {self.top}: {done.err or f'exit status {done.code}'}", code=_code(done))
        return done.out

    def get(self, key: str) -> str:
        """A value of git's configuration; "" when it is not set."""
        return self.ask("config", "--get", key).text

    def commit_of(self, ref: str) -> str:
        """The full id of the commit that `ref` names, or ""."""
        return self.ask("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}").text

    @property
    def branch(self) -> str:
        """`main`. Raises VcsError when HEAD is on no branch, because commits there are easily lost."""
        done = self.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        if done.code:
            hint = f"go back to your branch: git -C {self.top} switch main"
            raise VcsError(f"{self.top} is on no branch (detached HEAD)", hint, "detached")
        return done.text

    def check_free(self) -> None:
        """Raises VcsError while a person is in the middle of a rebase, a merge or the like."""
        for file, (what, how) in _UNDER_WAY.items():
            if (self.git_dir / file).exists():
                hint = f"finish it: {how} (or --abort), then ./inv journal.sync"
                raise VcsError(f"{what} is under way in {self.top}: the log book waits for its end", hint, "busy")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else of ours touches branch and index meanwhile. What a killed one of ours left is cleared first."""
        with lock(self.git_dir / "trading-ops.lock"), leftovers.marked(self.git_dir, "at-work"):
            for left in self.git_dir.glob("trading-ops.index.*"):
                left.unlink(missing_ok=True)
            yield

    def _where(self) -> tuple[str, ...]:
        if self.bare:
            return ("--git-dir", str(self.git_dir))
        return ("-C", str(self.top))


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """One process at a time. Raises BlockingIOError when `wait` is false and another one has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def find(path: Path) -> Repo | None:
    """The repository that `path` lies in; None when there is none, or no git. Raises VcsError."""
    real = path.resolve()
    try:
        done = run(("-C", str(real.parent)), _WHERE, b"", {}, LOCAL)
    except FileNotFoundError:
        return None
    if done.code:
        if "not a git repository" in done.err or not real.parent.is_dir():
            return None
        raise VcsError(f"{real.parent}: {done.err}", _dubious(done.err, real.parent), _code(done))
    bare, inside, folder, *rest = done.out.decode().split("\n")
    git_dir, prefix = Path(folder), rest[0]
    if bare == "true":
        return Repo(real, git_dir, git_dir.parent, real.name, True) if git_dir.parent == real.parent else None
    top = real.parents[prefix.count("/")]
    return Repo(real, git_dir, top, prefix + real.name, False) if inside == "false" else None


_WHERE = ("rev-parse", "--is-bare-repository", "--is-inside-git-dir", "--absolute-git-dir", "--show-prefix")


def run(where: Sequence[str], argv: Sequence[str], data: bytes, env: Mapping[str, str], limit: float) -> Done:
    """git in a session of its own: it has no terminal to ask on, and all of it ends when the time is over."""
    options = [word for option in _ALONE for word in ("-c", option)]
    process = subprocess.Popen(
        ["git", *options, *where, *argv],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**_environment(), **env}, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(data, timeout=limit)
    except subprocess.TimeoutExpired:
        raise VcsError(f"git {argv[0]} took longer than {limit:g} s", "is the network up?", "timeout") from None
    finally:
        _end(process)
    return Done(process.returncode, out, masked(err).decode(errors="replace").strip())


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _environment() -> dict[str, str]:
    """Without what a hook, or a git around us, says about its own repository."""
    kept = {k: v for k, v in environment().items() if not k.startswith("GIT_") or k.startswith(_KEPT)}
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_ASKPASS": "true", "GIT_OPTIONAL_LOCKS": "0"}
    ssh = f"{environment().get('GIT_SSH_COMMAND') or 'ssh'} {_SSH}"
    return {**kept, **quiet, "GIT_SSH_COMMAND": ssh, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C.UTF-8"}


def ssh_command(configured: str) -> dict[str, str]:
    """For a repository whose own core.sshCommand is `configured`: the environment's would win over it."""
    return {"GIT_SSH_COMMAND": f"{configured} {_SSH}"} if configured else {}


def identity(repo: Repo) -> tuple[str, ...]:
    """Options that say who commits, where nobody has told git."""
    known = repo.ask("config", "--get-regexp", r"^user\.(name|email)$").text
    given = () if "user.name " in known else ("-c", "user.name=trading-ops")
    return given if "user.email " in known else (*given, "-c", f"user.email=trading-ops@{socket.gethostname()}")


def _dubious(err: str, folder: Path) -> str:
    if "dubious ownership" not in err:
        return ""
    return f"run this as the owner of {folder}, or: git config --global --add safe.directory {folder}"


def _code(done: Done) -> str:
    if "No space left on device" in done.err:
        return "disk-full"
    return "locked" if "File exists" in done.err else "git"
