"""How the tunnel stands: one small file that its supervisor replaces, and that status and monitor read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from runtime import clock

PATH = Path("/run/ngrok-tv/state.json")
Standing = Literal["waiting", "starting", "up", "down", "failed"]


@dataclass(frozen=True)
class State:
    """`since`: ISO 8601. `waiting` for the webhook; `down`: the agent runs and has lost its connection."""

    kind: str
    state: Standing
    since: str
    url: str = ""
    code: str = ""
    why: str = ""
    hint: str = ""
    restarts: int = 0


def write(path: Path, state: State) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(state)) + "\n")
    draft.chmod(0o644)
    draft.replace(path)


def read(path: Path = PATH) -> State | None:
    """None: there is no tunnel here, or its unit is stopped."""
    try:
        return State(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def now(kind: str, state: Standing, **more: str | int) -> State:
    return State(kind, state, clock.iso(clock.now()), **more)  # type: ignore[arg-type]
