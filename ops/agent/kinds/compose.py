"""Containers of a compose file: which of them run, and whether they are those of the plan."""

from __future__ import annotations

from typing import Any

from .. import docker
from ..host import HostError, run
from .base import Change, Kind, State, Want, differ

ABSENT: dict[str, Any] = {"state": "absent", "image": "", "is_current": True, "stamp": ""}


class Compose(Kind):
    """want: project, file, services (image by name), stamp, unit, launcher.

    Nothing is kept for a rollback: it brings the files back and starts `unit` again, which makes the containers anew.
    """

    def read(self, want: Want) -> State:
        return {"services": docker.of_project(want["project"])}

    def changes(self, state: State, want: Want) -> list[Change]:
        found = []
        for name, image in want["services"].items():
            found += _service(name, image, state["services"].get(name, ABSENT), want["stamp"])
        others = [name for name in state["services"] if name not in want["services"]]
        return found + [Change(f"container of {name}", state["services"][name]["state"], "absent") for name in others]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        try:
            # Stopped ones go first: v1 renames one that it replaces, and leaves it so when the new one does not start.
            run(*_compose(want), "rm", "--force", timeout=150)
            run(*_compose(want), "up", "--detach", "--remove-orphans", timeout=150)
        except HostError as error:
            hint = error.hint or f"on the host: systemctl status {want['unit']}; docker ps --all"
            message = f"the containers of {want['project']} did not start: {error}"
            raise HostError(message, hint, unit=want["unit"]) from error


def _compose(want: Want) -> list[str]:
    return [want["launcher"], "--project-name", want["project"], "--file", want["file"]]


def _service(name: str, image: str, found: dict[str, Any], stamp: str) -> list[Change]:
    if found["state"] == "absent":
        return [Change(f"container of {name}", "absent", f"running {image}")]
    # One that Docker is just restarting is not stopped: whether it stays up is the health gate's question.
    is_up = found["state"] in ("running", "restarting")
    changes = [] if is_up else differ(f"container of {name}", found["state"], "running")
    changes += differ(f"image of {name}", found["image"], image)
    if found["image"] == image and not found["is_current"]:
        changes.append(Change(f"image of {name}", f"an older {image}", f"what {image} is now"))
    if found["image"] == image and found["stamp"] != stamp:
        changes.append(Change(f"settings of {name}", found["stamp"] or "not ours", stamp))
    return changes
