"""The command line: Invoke with the project's exit codes, error messages and table of contents.

Exit codes: 0 done, 1 failed, 2 there are changes or wrong usage, 130 interrupted.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Container, Sequence
from typing import Any, NoReturn, TypeVar, cast, overload

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError, UnexpectedExit
from invoke.loader import FilesystemLoader
from invoke.parser.argument import Argument
from invoke.program import Program
from invoke.tasks import task as invoke_task
from invoke.util import helpline

from ops.errors import OpsError
from ops.paths import CACHE, ROOT

Body = TypeVar("Body", bound=Callable[..., Any])
INTERRUPTED = 130
LAST_ERROR = CACHE / "last-error.txt"


@overload
def task(body: Body, /) -> Body: ...
@overload
def task(**options: object) -> Callable[[Body], Body]: ...
def task(body: Body | None = None, /, **options: object) -> Body | Callable[[Body], Body]:
    """Invoke's `@task` for a body that may raise OpsError: plain `invoke` then tells it and exits with its code too."""
    if body is not None:
        return cast("Body", invoke_task(_told(body)))

    def decorate(body: Body) -> Body:
        return cast("Body", invoke_task(**options)(_told(body)))

    return decorate


def _told(body: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(body)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return body(*args, **kwargs)
        except OpsError as error:
            raise Exit(message=f"error: {error}", code=error.code) from error

    return run


class RootLoader(FilesystemLoader):
    """Finds the project's tasks.py from any directory."""

    @property
    def start(self) -> str:
        return self._start or str(ROOT)


class Inv(Program):
    """`./inv`: shows its tasks in the groups they come in."""

    def __init__(self) -> None:
        super().__init__(version=_version(), name="inv", binary="./inv", loader_class=RootLoader)

    def parse_core(self, argv: list[str] | None) -> None:
        super().parse_core(argv)
        # Invoke turns bytecode caching off, which would compile every module of ours anew on each call.
        sys.dont_write_bytecode = False

    def parse_collection(self) -> None:
        super().parse_collection()
        words = self.core.unparsed
        if words and words[0] in self.collection.task_names:
            words[1:] = _file_named(self.collection[words[0]].get_arguments(), words[1:], self.collection.task_names)

    def no_tasks_given(self) -> NoReturn:
        self.list_tasks()
        raise Exit

    def list_flat(self) -> None:
        """The table of contents: tasks on their own first, then each group under its own line."""
        if self.list_root:
            super().list_flat()
            return
        sections = list(_sections(self.collection))
        width = max((len(name) for _, tasks in sections for name, _ in tasks), default=0)
        for title, tasks in sections:
            _out(f"{title}\n")
            for name, about in tasks:
                _out(f"  {name:<{width}}  {about}\n")
            _out("\n")
        _out("./inv --help TASK explains one of them and its options.\n")


def _sections(collection: Collection) -> list[tuple[str, list[tuple[str, str]]]]:
    own = [(name, helpline(task) or "") for name, task in collection.tasks.items()]
    sections = [(helpline(collection) or "Tasks", own)] if own else []
    for group, sub in collection.collections.items():
        sections.append((helpline(sub) or group, _below(group, sub)))
    return sections


def _below(group: str, collection: Collection) -> list[tuple[str, str]]:
    """A group's tasks, and those of groups within it."""
    own = [(f"{group}.{name}", helpline(task) or "") for name, task in collection.tasks.items()]
    inner = [task for name, sub in collection.collections.items() for task in _below(f"{group}.{name}", sub)]
    return own + inner


def _version() -> str:
    # Not importlib.metadata: the checkout is never installed, and reading pyproject.toml costs a parser on each call.
    return "0.1.0"


def _out(text: str) -> None:
    sys.stdout.write(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code; no traceback for anything that was to be expected."""
    try:
        return _run(Inv(), ["inv", *_help_first(list(sys.argv[1:] if argv is None else argv))])
    except OpsError as error:
        return _fail(f"error: {error}", error.code)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _quiet_pipe()
    except Exception as error:
        return _unexpected(error)


def _help_first(arguments: list[str]) -> list[str]:
    """`TASK --help` always explains the task: Invoke would take --help for the value of a missing positional."""
    if arguments and not arguments[0].startswith("-") and "--help" in arguments[1:]:
        return ["--help", arguments[0]]
    return arguments


def _file_named(known: Sequence[Argument], words: list[str], tasks: Container[str]) -> list[str]:
    """`TASK FILE` for a task whose `file` has a default, `TASK TITLE PASTE` for one that takes a `paste`: Invoke has no
    positional arguments that may be left out."""
    positional = sum(one.positional for one in known)
    name = next((one.name for one in known if one.name == "paste" or (one.name == "file" and not positional)), None)
    if name is None:
        return words
    valued = {f"{'-' * min(len(name), 2)}{name}" for one in known if one.kind is not bool for name in one.names}
    plain = [at for at, word in enumerate(words) if not (word.startswith("-") and word != "-")]
    free = [at for at in plain if not at or words[at - 1] not in valued][positional:]
    if not free or words[free[0]] in tasks:
        return words
    return [*words[: free[0]], f"--{name}", *words[free[0] :]]


def _run(program: Inv, argv: list[str]) -> int:
    try:
        program.create_config()
        program.parse_core(argv)
        program.parse_collection()
        program.parse_tasks()
        program.parse_cleanup()
        program.update_config()
        program.execute()
        sys.stdout.flush()
    except ParseError as error:
        return _fail(f"error: {error}\n  -> see what there is: ./inv --list", 2)
    except Exit as error:
        return _fail(error.message, error.code) if error.message else int(error.code)
    except UnexpectedExit as error:
        return _fail(f"error: {error}" if error.result.hide else "", int(error.result.exited))
    return 0


def _fail(message: str, code: int) -> int:
    if message.startswith("error:") and sys.stderr.isatty():
        message = f"\x1b[1;31merror:\x1b[0m{message.removeprefix('error:')}"
    if message:
        sys.stderr.write(f"{message}\n")
    return code


def _quiet_pipe() -> int:
    """`./inv --list | head`: the reader has gone, and Python must not complain about it at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _unexpected(error: Exception) -> int:
    import traceback

    CACHE.mkdir(exist_ok=True)
    LAST_ERROR.write_text("".join(traceback.format_exception(error)))
    LAST_ERROR.chmod(0o600)
    what = f"error: {type(error).__name__}: {error}"
    return _fail(f"{what}\n  -> this is a fault in the tool; its traceback is in {LAST_ERROR}", 1)
