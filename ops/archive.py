"""The agent as one archive of a few kilobytes, sent over the channel and imported from memory on the host."""

from __future__ import annotations

import io
import shlex
import zipfile

from ops.paths import ROOT

AGENT = ROOT / "ops" / "agent"

BOOTSTRAP = (
    "import os,sys;s=sys.stdin.buffer;b=s.read(int(s.readline()));f=os.memfd_create('ops-agent');"
    "[b:=b[os.write(f,b):] for _ in iter(lambda:len(b),0)];sys.path.insert(0,'/proc/self/fd/%d'%f);"
    "from agent.main import main;main(s)"
)
"""Reads the archive's size and bytes from stdin into an anonymous file that dies with the process."""

PYTHON = "python3 -I -S -c"
FETCH_PYTHON = (
    "command -v python3 >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive "
    "apt-get -qq install -y --no-install-recommends python3; } </dev/null >&2"
)
"""A minimal Debian may lack python3: fetched in the same trip."""


def command(*, sudo: bool) -> str:
    """The one command that is run on the host, by root or through `sudo -n`."""
    script = f"{FETCH_PYTHON}; exec {PYTHON} {shlex.quote(BOOTSTRAP)}"
    return f"sudo -n sh -c {shlex.quote(script)}" if sudo else f"sh -c {shlex.quote(script)}"


def archive() -> bytes:
    """The agent's sources as a zip. Compiling them on the host takes 15 ms; bytecode would be three times the size."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(AGENT.rglob("*.py")):
            out.writestr(_entry(path.relative_to(AGENT.parent).as_posix()), path.read_bytes())
    return held.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # no time stamp: the same agent is the same bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
