"""The node's container, as Docker tells of it over its socket.

Source: Docker Engine API v1.41: /version, /containers/NAME/json, /containers/NAME/logs (frames of a stream that is no
terminal: 1 byte which stream, 3 zeros, 4 bytes length), /images/ID/json. A daemon may have given v1.41 up (the oldest
that 29 has is 1.44), so the oldest version that both know is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from blockdag import http
from blockdag.http import Strange, Unanswered
from runtime import clock

Json = dict[str, Any]
WANTED = (1, 41)
LINES, RECENT_SECONDS = 200, 600
DOWNLOADING = b"client in initial download"
"""What the node logs whenever a miner asks it for work before it has the chain."""
STATES = frozenset({"running", "restarting", "exited", "created", "paused", "dead"})
FIELDS = (
    *("name", "image", "image_id", "digest", "state", "health", "restarts", "started_at", "exit_code", "oom", "error"),
)
KILLED = 137
"""128 + SIGKILL: by somebody, or by the kernel for want of memory."""
NEVER = "0001-"


class Found(NamedTuple):
    """`docker` is up, down or none; `container` is null while that is not known."""

    docker: str
    why: str
    container: Json | None = None
    initial_download: bool | None = None


def look(socket: Path, name: str, programs: tuple[Path, ...], seconds: float) -> Found:
    """Never raises: what fails is told."""
    try:
        api = _api(_said(socket, "/version", seconds))
        return _container(socket, api, name, seconds)
    except (FileNotFoundError, NotADirectoryError):
        return _no_socket(socket, programs)
    except (ConnectionRefusedError, Unanswered, OSError) as error:
        return Found("down", f"Docker at {socket}: {_plain(error)}")


def _no_socket(socket: Path, programs: tuple[Path, ...]) -> Found:
    if any((folder / "dockerd").exists() for folder in programs):
        return Found("down", f"Docker does not run: there is no {socket}")
    return Found("none", "Docker is not installed")


def _container(socket: Path, api: str, name: str, seconds: float) -> Found:
    """Docker is up from here on: what fails now is not the daemon's being down."""
    try:
        answer = http.get(socket, f"{api}/containers/{quote(name)}/json", seconds)
        if answer.status == 404:
            return _told({**dict.fromkeys(FIELDS), "name": name, "state": "missing"})
        container = facts(name, _object(answer))
    except Unanswered as error:
        return Found("up", f"Docker does not tell of the container {name}: {error}")
    container["digest"] = container["digest"] or _digest(socket, api, container["image_id"], seconds)
    downloading = _downloads(socket, api, name, seconds) if container["state"] == "running" else None
    return _told(container, downloading)


def _told(container: Json, downloading: bool | None = None) -> Found:
    why = trouble(container)
    return Found("up", why, {**container, "why": why}, downloading)


def facts(name: str, told: Json) -> Json:
    """Of what Docker tells of a container, what is worth telling. Whatever it holds: no exception."""
    state, config = _part(told, "State"), _part(told, "Config")
    said, image = _text(state.get("Status")), _text(config.get("Image"))
    return {
        "name": name,
        "image": image.partition("@")[0],
        "image_id": _text(told.get("Image")),
        "digest": image.partition("@")[2] or None,
        "state": said if said in STATES else "exited",  # `removing`: it has ended
        "health": _text(_part(state, "Health").get("Status")) or None,
        "restarts": _whole(told.get("RestartCount")),
        "started_at": _moment(state.get("StartedAt")),
        "exit_code": _whole(state.get("ExitCode")),
        "oom": bool(state.get("OOMKilled")),
        "error": _text(state.get("Error"))[:300],
    }


def trouble(container: Json) -> str:
    """What is wrong with it in one sentence, or ""."""
    state, name = container["state"], container["name"]
    if state == "missing":
        return f"there is no container {name}"
    if state == "running":
        return f"the container {name} is unhealthy" if container["health"] == "unhealthy" else ""
    if state == "restarting":
        return f"the container {name} restarts again and again: {container['restarts']} times, {_end(container)}"
    if state in ("exited", "dead"):
        return f"the container {name} has ended: {_end(container)}"
    if state == "paused":
        return f"the container {name} is paused"
    return f"the container {name} was never started" + (f": {container['error']}" if container["error"] else "")


def _end(container: Json) -> str:
    if container["oom"]:
        return "killed for want of memory"
    code = container["exit_code"]
    said = f"exit code {code}" + (" (killed)" if code == KILLED else "")
    return f"{said}: {container['error']}" if container["error"] else said


def _downloads(socket: Path, api: str, name: str, seconds: float) -> bool | None:
    """Whether one of its last lines says so; None: they cannot be read (Docker keeps none, for one)."""
    since = int(clock.now().timestamp()) - RECENT_SECONDS
    asked = f"{api}/containers/{quote(name)}/logs?stdout=1&stderr=1&tail={LINES}&since={since}"
    try:
        answer = http.get(socket, asked, seconds)
    except (Unanswered, OSError):
        return None
    return DOWNLOADING in text(answer.body).lower() if answer.status == 200 else None


def text(stream: bytes) -> bytes:
    """Of a log's stream, without the frames' heads; of a terminal's, which has none, as it is."""
    found, at = bytearray(), 0
    while at < len(stream):
        head = stream[at : at + 8]
        if len(head) < 8 or head[0] > 2 or head[1:4] != b"\0\0\0":
            return bytes(stream) if at == 0 else bytes(found)
        length = int.from_bytes(head[4:], "big")
        found += stream[at + 8 : at + 8 + length]
        at += 8 + length
    return bytes(found)


def _digest(socket: Path, api: str, image: str, seconds: float) -> str | None:
    """What its registry knows the image by; None: it came from none."""
    try:
        told = _said(socket, f"{api}/images/{quote(image)}/json", seconds)
    except (Unanswered, OSError):
        return None
    digests = told.get("RepoDigests")
    return str(digests[0]).partition("@")[2] or None if isinstance(digests, list) and digests else None


def _api(version: Json) -> str:
    oldest, newest = _pair(version.get("MinAPIVersion")), _pair(version.get("ApiVersion"))
    chosen = min(max(WANTED, oldest or WANTED), newest or WANTED)
    return f"/v{chosen[0]}.{chosen[1]}"


def _pair(text: Any) -> tuple[int, int] | None:
    major, _, minor = str(text).partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _said(socket: Path, path: str, seconds: float) -> Json:
    return _object(http.get(socket, path, seconds))


def _object(answer: http.Answer) -> Json:
    found = answer.json() if answer.status == 200 else None
    if not isinstance(found, dict):
        raise Strange(f"it answers {answer.status}" + ("" if answer.status != 200 else " with what is no object"))
    return found


def _part(told: Json, name: str) -> Json:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(text: Any) -> str | None:
    """Docker writes nanoseconds, and year 1 for never."""
    if not isinstance(text, str) or text.startswith(NEVER):
        return None
    try:
        return clock.iso(clock.from_iso(text))
    except ValueError:
        return None


def _plain(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return getattr(error, "strerror", None) or str(error)
