"""A long program's last line is told while it runs, and its last lines when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.agent.host import HostError
from ops.agent.kinds import watched as watching
from ops.agent.kinds.watched import watched


def test_its_last_line_is_told_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program waits until its line was told: a build of minutes is never silent."""
    monkeypatch.setattr(watching, "EVERY", 0.02)
    told: list[str] = []
    seen = tmp_path / "seen"

    def tell(line: str) -> None:
        told.append(line)
        seen.touch()

    script = f"echo first; echo '  CC cgminer.o'; while ! test -e {seen}; do sleep 0.05; done; echo last"
    watched(["sh", "-c", script], tmp_path / "log", 60, tell, {})
    assert told[-1] in ("CC cgminer.o", "last")
    assert (tmp_path / "log").read_text().splitlines()[-2:] == ["  CC cgminer.o", "last"]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640


def test_what_it_said_last_is_the_reason_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"it exited 2:\nno rule to make target"):
        watched(["sh", "-c", "echo no rule to make target; exit 2"], tmp_path / "log", 60, lambda line: None, {})


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="did not end within 0 s"):
        watched(["sleep", "600"], tmp_path / "log", 0.1, lambda line: None, {})
