"""Where a paste comes from: a terminal, a pipe, a file, the clipboard. Every byte is taken as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.journal.book import BookError

SIZE = 1 << 16
_EOF = b"\x04"
_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"
CLIPBOARDS = (
    ("wl-paste", "--no-newline"),
    ("xclip", "-selection", "clipboard", "-o"),
    ("xsel", "--clipboard", "--output"),
    ("pbpaste",),
)


def chunks(file: str = "", *, clipboard: bool = False) -> Iterator[bytes]:
    """The paste, piece by piece. Raises BookError."""
    if clipboard and file:
        raise BookError("a file and --clipboard were both given", "choose one of them")
    if clipboard:
        return iter([_clipboard()])
    if file and file != "-":
        return _file(Path(file).expanduser())
    return _typed() if os.isatty(0) else _read(0)


def _file(path: Path) -> Iterator[bytes]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise BookError(f"{path}: {error.strerror}", "name the file that holds the conversation") from error
    return _read(fd)


def _read(fd: int) -> Iterator[bytes]:
    while chunk := os.read(fd, SIZE):
        yield chunk


def _clipboard() -> bytes:
    program = next((one for one in CLIPBOARDS if shutil.which(one[0])), None)
    if program is None:
        names = ", ".join(one[0] for one in CLIPBOARDS)
        raise BookError(
            f"no program here reads the clipboard ({names})", "apt-get install wl-clipboard, or paste instead"
        )
    done = subprocess.run(program, capture_output=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:200]
        raise BookError(f"{program[0]} cannot read the clipboard: {said}", "paste instead: leave --clipboard out")
    return done.stdout


def _typed() -> Iterator[bytes]:
    """From a terminal, until Ctrl-D outside of a paste.

    Not line by line, as terminals do: the kernel cuts lines at 4,095 bytes then. And not shown: a conversation scrolls
    for minutes, and what it holds is nobody's to see. How much came in is shown instead.
    """
    sys.stderr.write("Paste the conversation, then press Ctrl-D on an empty line (Ctrl-C gives up).\n")
    bracket, count = Brackets(), 0
    with _raw():
        while not bracket.ended:
            read = os.read(0, SIZE)
            chunk = bracket.feed(read) if read else bracket.rest()
            yield chunk
            count += len(chunk)  # told once it is kept
            sys.stderr.write(f"\r{count:,} bytes ")
            sys.stderr.flush()
            if not read:
                break
    sys.stderr.write("\n")


class Brackets:
    """Takes apart what a terminal sends in bracketed-paste mode (xterm's 2004): pasted bytes, and keys that are typed.

    The marks around a paste are the terminal's and are dropped; a Ctrl-D within a paste is part of it.
    """

    def __init__(self) -> None:
        self._held, self._inside, self.ended = b"", False, False

    def feed(self, data: bytes) -> bytes:
        data, self._held, taken = self._held + data, b"", list[bytes]()
        while data and not self.ended:
            marks = [data.find(mark) for mark in ((_END,) if self._inside else (_BEGIN, _EOF))]
            at = min((mark for mark in marks if mark >= 0), default=-1)
            if at < 0:
                keep = _partial(data, _END if self._inside else _BEGIN)
                self._held = data[len(data) - keep :]
                taken.append(data[: len(data) - keep])
                break
            taken.append(data[:at])
            self.ended = data[at : at + 1] == _EOF
            self._inside = not self._inside
            data = data[at + (1 if self.ended else len(_BEGIN)) :]
        return b"".join(taken)

    def rest(self) -> bytes:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, b""
        return held


def _partial(data: bytes, mark: bytes) -> int:
    """How many bytes at the end may be the beginning of `mark`."""
    return next((length for length in range(len(mark) - 1, 0, -1) if data.endswith(mark[:length])), 0)


@contextmanager
def _raw() -> Iterator[None]:
    """Neither lines nor echo; Ctrl-C still interrupts, and Enter is still a newline."""
    before = termios.tcgetattr(0)
    wanted = termios.tcgetattr(0)
    wanted[3] &= ~(termios.ICANON | termios.ECHO)
    wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, wanted)
        sys.stderr.write("\x1b[?2004h")
        sys.stderr.flush()
        yield
    finally:
        sys.stderr.write("\x1b[?2004l")
        sys.stderr.flush()
        termios.tcsetattr(0, termios.TCSAFLUSH, before)  # what is left of a paste must not be a shell's next command
