"""An HTML page as a PDF, by Chromium without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from runtime.journal.book import BookError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 300
INSTALL = "as root: apt-get install chromium; or write --html and print that page from a browser"


def pdf(html: Path, target: Path) -> None:
    """Print `html` to `target`, whole or not at all. Raises BookError when there is no Chromium, or it fails."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise BookError("a PDF is printed by Chromium, and this machine has none", INSTALL)
    if not target.parent.is_dir():
        raise BookError(f"{target}: its folder does not exist", "name a file in a folder that exists")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        made = Path(folder) / "page.pdf"
        _run([program, *_options(Path(folder) / "profile"), f"--print-to-pdf={made}", html.absolute().as_uri()])
        if not made.exists() or made.read_bytes()[:5] != b"%PDF-":
            raise BookError(f"{program} wrote no PDF", INSTALL)
        made.chmod(0o600)  # as private as the page: a log book is nobody else's business
        made.replace(target)


def _options(profile: Path) -> list[str]:
    """A profile of its own, no network; the sandbox is given up only where it cannot be: as root."""
    options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--no-first-run", f"--user-data-dir={profile}"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options += ["--proxy-server=127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND"]
    return options + (["--no-sandbox"] if os.geteuid() == 0 else [])


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BookError(f"{command[0]}: {error}", INSTALL) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BookError(f"{command[0]} ended with {done.returncode}: {last}", INSTALL)
