"""Our block in a file of somebody else's: their lines stay as they are, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ops.agent.host import HostError
from ops.agent.kinds.block import Block, placed

OURS = "Host github.com\n    Port 22\n"
BLOCK = f"# BEGIN trading-ops x (a change in here is undone by the next deploy)\n{OURS}# END trading-ops x\n"


def want(path: Path) -> dict[str, Any]:
    owner = {"owner": str(os.getuid()), "group": str(os.getgid())}
    return {"path": str(path), "title": "x", "content": OURS, "mode": "0600", **owner}


def settle(path: Path) -> None:
    """Applied, and nothing is left to do."""
    kind, wanted = Block(), want(path)
    state = kind.read(wanted)
    if changes := kind.changes(state, wanted):
        kind.apply(wanted, state, changes)
    assert kind.changes(kind.read(wanted), wanted) == []


def test_absent_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    settle(tmp_path / "config")
    assert (tmp_path / "config").read_text() == BLOCK
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o600


THEIRS = "Compression yes\nHost *\n\tUser ann\r\n# é fin"


def test_a_new_block_comes_first_and_an_old_one_stays_where_it_is() -> None:
    assert placed(THEIRS, "x", OURS) == f"{BLOCK}\n{THEIRS}"
    old = THEIRS.replace("Host *", "# BEGIN trading-ops x\nold\n# END trading-ops x\nHost *")
    assert placed(old, "x", OURS) == THEIRS.replace("Host *", f"{BLOCK}Host *")


@pytest.mark.parametrize(
    "text", ["", THEIRS, BLOCK, BLOCK + THEIRS, THEIRS + "\n" + BLOCK, BLOCK + BLOCK, f"{BLOCK[:40]}\n{THEIRS}"]
)
def test_again_changes_nothing_and_their_lines_stay(text: str) -> None:
    once = placed(text, "x", OURS)
    assert placed(once, "x", OURS) == once
    assert once.count(OURS) == 1
    assert once.replace(BLOCK, "").strip("\n") in (THEIRS, "")


def test_a_begin_that_lost_its_end_takes_nothing_of_theirs_away() -> None:
    assert "User ann" in placed(f"# BEGIN trading-ops x\n{THEIRS}", "x", OURS)


def test_another_block_of_ours_is_another_block() -> None:
    both = placed(placed("", "y", OURS), "x", OURS)
    assert both.count("# BEGIN") == 2


def test_a_link_stays_a_link_and_the_file_behind_it_is_edited(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "ssh").write_bytes(b"# \xff\n")
    (tmp_path / "config").symlink_to("dotfiles/ssh")
    settle(tmp_path / "config")
    assert (tmp_path / "config").is_symlink()
    assert (tmp_path / "dotfiles" / "ssh").read_bytes() == BLOCK.encode() + b"\n# \xff\n"


def test_an_owner_and_a_mode_stay_but_for_the_right_of_others_to_write(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(BLOCK)
    path.chmod(0o664)
    settle(path)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(HostError, match="is a directory"):
        settle(tmp_path / "config")


def test_it_is_undone(tmp_path: Path) -> None:
    path, kind = tmp_path / "config", Block()
    path.write_bytes(THEIRS.encode())
    state = kind.read(want(path))
    kept = kind.keep(state, want(path))
    kind.apply(want(path), state, kind.changes(state, want(path)))
    assert kept
    kind.restore(json.loads(json.dumps(kept)))
    assert path.read_bytes() == THEIRS.encode()
