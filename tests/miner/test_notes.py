"""Notes of readings in French: each sentence that a collector may say has one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner import drift, notes
from ops.paths import ROOT

SOURCES = (
    *sorted((ROOT / "miner/monitor/collect").glob("*.py")),
    *(ROOT / f"miner/{name}.py" for name in ("monitor/ask", "monitor/schedule", "deadman", "usb/access")),
    ROOT / "miner/cgminer/transport.py",
    *(ROOT / f"blockdag/{name}.py" for name in ("docker", "rpc", "http", "disk")),
)
AS_IT_IS = {
    "X, port X", "X: X", "X:X", "X GB", "X (X): X", "X (X)", "X-X-X",
    "expected the ping URL of a check, such as https://hc-ping.com/UUID",  # a setting that is wrong: in no reading
}  # fmt: skip


def text_of(node: ast.AST) -> str:
    """A literal, with X for what is put in; "" for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "X" for one in node.values)
        return "".join(map(str, parts))
    return ""


def said(path: Path) -> Iterator[str]:
    """What becomes a note: of a reading itself, of an error, or of a function that says why."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reading" and len(node.args) > 3:
            yield text_of(node.args[3])
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield text_of(node.exc.args[-1])
        elif isinstance(node, ast.Return) and node.value:
            yield text_of(node.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_sentence_has_its_french(path: Path) -> None:
    sentences = {text for text in said(path) if " " in text} - AS_IT_IS
    assert [text for text in sentences if notes.told(text, "", "fr") == text] == []


@pytest.mark.parametrize(
    ("note", "french"),
    [
        ("no answer within 2.5 s", "pas de réponse en 2.5 s"),
        ("no cgminer answers at 10.0.0.9:4028: refused", "aucun cgminer ne répond à 10.0.0.9:4028 : refused"),
        ("/dev/bus/usb/001/004 is crw-rw-r--, owner 0, group root: cgminer may not open it",
         "/dev/bus/usb/001/004 est crw-rw-r--, propriétaire 0, groupe root : cgminer n'a pas le droit de l'ouvrir"),
        ("ValueError: the answer was cut off", "la réponse a été coupée"),
        ("/etc/ssl/own.pem: no certificate is in it", "/etc/ssl/own.pem : il n'y a pas de certificat dedans"),
        ("example.org:443: not a certificate: no start line", "example.org:443 : pas un certificat : no start line"),
        ("failed (Result: exit-code)", "failed (Result: exit-code)"),
        ("503: store: locked", "503: store: locked"),
        ("12.3 GB", "12.3 GB"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_ours_is_said_in_french_and_the_rest_as_it_is(note: str, french: str) -> None:
    assert notes.told(note, "x", "fr") == french
    assert notes.told(note, "x", "en") == note


def test_what_drifted_is_said_in_french(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("by hand")
    file.chmod(0o600)
    mark = {"path": str(file), "type": "file", "owner": "root", "group": "root", "mode": "0644"}
    found = drift.drifted([mark, {**mark, "mode": "0600", "sha256": "0", "path": f"{file}"}, {**mark, "path": "/gone"}])
    told = notes.told(", ".join(found), "drift.count", "fr")
    assert told == f"/gone : disparu, {file} : contenu, {file} : mode 0600 au lieu de 0644"
