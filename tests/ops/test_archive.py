"""The agent's archive: small, the same bytes each time, and started by one command that survives any shell."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import zipfile

from ops.archive import AGENT, BOOTSTRAP, archive, command


def test_the_archive_is_small_and_always_the_same() -> None:
    assert archive() == archive()
    assert len(archive()) <= 60_000


def test_the_archive_holds_every_module_of_the_agent_and_nothing_else() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as held:
        names, text = held.namelist(), held.read("agent/main.py")
    assert names == sorted(path.relative_to(AGENT.parent).as_posix() for path in AGENT.rglob("*.py"))
    assert text == (AGENT / "main.py").read_bytes()


def test_the_command_is_one_word_list_for_sh() -> None:
    program, option, script = shlex.split(command(sudo=False))
    assert (program, option) == ("sh", "-c")
    assert script.endswith(f"exec python3 -I -S -c {shlex.quote(BOOTSTRAP)}")
    assert shlex.split(command(sudo=True)) == ["sudo", "-n", "sh", "-c", script]
    assert subprocess.run(["sh", "-n", "-c", script], capture_output=True, check=True).stderr == b""


def test_every_module_imports_without_site_packages() -> None:
    """As on the host: isolated, no site, no bytecode, from the archive alone."""
    script = """
import sys, tempfile, importlib, zipfile
with tempfile.NamedTemporaryFile(suffix=".zip") as held:
    held.write(sys.stdin.buffer.read()); held.flush()
    sys.path.insert(0, held.name)
    for name in zipfile.ZipFile(held.name).namelist():
        importlib.import_module(name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    outside = {module.partition(".")[0] for module in sys.modules} - sys.stdlib_module_names
    print(sorted(outside))
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], input=archive(), capture_output=True, check=False)
    assert (done.stderr, done.stdout.decode().strip()) == (b"", "['__main__', 'agent']")
