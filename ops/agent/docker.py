"""What Docker says of containers, by its own client."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from .host import HostError, last_lines, run

STEADY = 3.0
"""Seconds that a container must have run: one that dies at once is started again and again by its restart policy."""
PROJECT, SERVICE, STAMP = "com.docker.compose.project", "com.docker.compose.service", "trading-ops.stamp"
Json = dict[str, Any]


def answers() -> str:
    """Why the daemon does not answer, or ""."""
    done = run("docker", "version", "--format", "{{.Server.Version}}", check=False)
    return "" if done.returncode == 0 else last_lines(done.stderr or done.stdout, 2)


def inspect(*names: str) -> list[Json]:
    """`docker inspect` of those that are there."""
    if not names:
        return []
    said = run("docker", "inspect", "--type=container", "--", *names, check=False).stdout
    return list(json.loads(said or "[]"))


def of_project(project: str) -> dict[str, Json]:
    """Containers of a compose project by service; none where there is no Docker, or it does not answer."""
    try:
        done = run("docker", "ps", "--all", "--quiet", "--filter", f"label={PROJECT}={project}", check=False)
        found = inspect(*done.stdout.split())
    except HostError:  # a plan for a bare host
        return {}
    return {one["Config"]["Labels"].get(SERVICE, "?"): container(one) for one in found}


def container(shown: Json) -> Json:
    """What a plan compares."""
    state, config = shown["State"], shown["Config"]
    ended = f" (exit status {state['ExitCode']})" if state["Status"] in ("exited", "dead") else ""
    image = {"image": config["Image"], "is_current": _is_current(config["Image"], shown["Image"])}
    return {"state": state["Status"] + ended, **image, "stamp": (config["Labels"] or {}).get(STAMP, "")}


def _is_current(name: str, made_from: str) -> bool:
    """Whether the image's name still means the image that the container was made from."""
    done = run("docker", "image", "inspect", "--format", "{{.Id}}", "--", name, check=False)
    return done.returncode != 0 or done.stdout.strip() == made_from


def unsettled(name: str) -> str:
    """Why the container does not count as running, with its last words; or ""."""
    found = inspect(name)
    if not found:
        return answers() or "there is no such container"
    state = found[0]["State"]
    if state["Running"] and not state["Restarting"]:
        age = time.time() - _seconds(state["StartedAt"])
        return "" if age >= STEADY else f"it started {max(0, age):.1f} s ago{_why(name, found[0])}"
    return f"it is {container(found[0])['state']}{_why(name, found[0])}"


def _why(name: str, shown: Json) -> str:
    if not shown["RestartCount"] and shown["State"]["Running"]:
        return ""
    done = run("docker", "logs", "--tail", "8", "--", name, check=False)
    words = last_lines(done.stdout + done.stderr, 8)
    error = f": {shown['State']['Error']}" if shown["State"]["Error"] else ""
    times = f", after {shown['RestartCount']} restarts (exit status {shown['State']['ExitCode']})"
    return f"{times if shown['RestartCount'] else ''}{error}. Its last words:\n  | " + words.replace("\n", "\n  | ")


def _seconds(stamp: str) -> float:
    """RFC 3339 with nanoseconds, which datetime does not take."""
    return datetime.fromisoformat(stamp[:19] + "+00:00").timestamp() + float("0." + (stamp[20:-1] or "0"))
