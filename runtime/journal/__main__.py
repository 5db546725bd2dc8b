"""`python -m runtime.journal save|retry|inbox`: the log book on a host, which has no ./inv. See docs/journal.md."""

from __future__ import annotations

import argparse
import shutil
import sys

from runtime.journal import save_commands as commands

INTERRUPTED = 130


def main(words: list[str]) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    given = _parser().parse_args(words)
    again = "jpt --retry" if shutil.which("jpt") else f"{sys.executable} -m runtime.journal retry"
    try:
        if given.command == "save" and not given.retry:
            return _save(given, again)
        command = commands.inbox if given.command == "inbox" else commands.retry
        return command(given.file, json=given.json, again=again)
    except KeyboardInterrupt:
        return INTERRUPTED


def _save(given: argparse.Namespace, again: str) -> int:
    model, where = not given.no_model, {"book": given.file, "again": again}
    return commands.save(given.title, given.paste, clipboard=given.clipboard, model=model, json=given.json, **where)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runtime.journal", description="The log book.")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--file", default="", help="a log book (default: JOURNAL_PATH)")
    every.add_argument("--json", action="store_true", help="JSON on stdout, for scripts")
    which = parser.add_subparsers(dest="command", required=True)
    save = which.add_parser("save", parents=[every], help="make an entry of a pasted conversation")
    save.add_argument("title", nargs="?", default="", help="what the session was about")
    save.add_argument(
        "paste", nargs="?", default="", help="a file with the conversation (default: paste it, then Ctrl-D)"
    )
    save.add_argument("--clipboard", action="store_true", help="take the clipboard")
    save.add_argument("--retry", action="store_true", help="the command retry: jpt passes what follows on to save")
    save.add_argument("--no-model", action="store_true", help="by rules, without asking a model")
    which.add_parser("retry", parents=[every], help="finish what waits, improve what was made without a model")
    which.add_parser("inbox", parents=[every], help="list raw pastes and what became of them")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
