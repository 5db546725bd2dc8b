"""What systemd says of units, and asking it to do something."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from . import files
from .host import RUN, UNITS, HostError, run

PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "ConditionResult",
    "ConditionTimestampMonotonic", "Result", "NRestarts", "ExecMainStatus",
    "ActiveEnterTimestampMonotonic", "MainPID",
)  # fmt: skip


def show(names: list[str]) -> dict[str, dict[str, str]]:
    """Properties of many units in one call (7 ms); one `systemctl show` a unit would be one fork a unit."""
    if not names:
        return {}
    said = run("systemctl", "show", "-p", ",".join(PROPERTIES), "--", *names).stdout
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in said.split("\n\n")]
    return dict(zip(names, blocks, strict=False))


def why_failed(unit: str, lines: int = 12) -> str:
    """A unit's result and last log lines, as a person would look them up."""
    state = show([unit]).get(unit, {})
    log = run("journalctl", "-u", unit, "-n", str(lines), "--no-pager", "-o", "cat", check=False).stdout.strip()
    head = f"{unit} is {state.get('ActiveState', '?')} ({state.get('Result', '?')}"
    status = state.get("ExecMainStatus", "0")
    head += f", exit status {status})" if status not in ("0", "") else ")"
    return head + "\n" + "\n".join(f"  | {line}" for line in log.splitlines()[-lines:])


def job(verb: str, *units: str, timeout: float = 150) -> None:
    """`systemctl VERB UNITS` as one transaction; HostError with the unit's own last words."""
    done = run("systemctl", verb, "--", *units, timeout=timeout, check=False)
    if done.returncode == 0:
        return
    # a socket that cannot be bound takes its service along, and systemctl names the service only
    failed = [name for name, state in show(list(units)).items() if state.get("ActiveState") == "failed"]
    unit = next(iter([*failed, *(name for name in units if name in done.stderr), units[0]]))
    raise HostError(f"{unit} did not {verb}: {why_failed(unit)}{_port_holder(unit)}", _hint(unit), unit=unit)


def _hint(unit: str) -> str:
    return f"on the host: systemctl status {unit}; journalctl -u {unit} -e"


def _port_holder(unit: str) -> str:
    """Names the program on a socket unit's port, when that is what stops it."""
    path = UNITS / unit
    ports = re.findall(r"^ListenStream=.*?(\d+)$", path.read_text(), re.M) if path.is_file() else []
    for port in ports:
        said = run("ss", "-Hltnp", f"sport = :{port}", check=False).stdout
        if held := re.search(r'\("([^"]+)",pid=(\d+)', said):
            return f"\nport {port} is in use by {held[1]} (pid {held[2]}): stop it, or set another port"
    return ""


def reload() -> None:
    run("systemctl", "daemon-reload", timeout=120)


def verify(name: str, drafts: dict[str, str]) -> None:
    """Lets systemd read the new unit files together, before any of them is in place.

    `systemd-analyze verify` exits 0 for unknown keys and wrong values, so a line about one of our files is a
    refusal too. Users, directories and env files it does not look at: those are checked here.
    """
    folder = RUN / "verify"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        for unit, text in drafts.items():
            files.write(folder / unit, text.encode())
        done = run("systemd-analyze", "verify", "--man=no", str(folder / name), check=False)
        ours = [line for line in done.stderr.splitlines() if any(unit in line for unit in drafts)]
        if ours or done.returncode:
            text = "\n".join(ours) or done.stderr.strip()
            raise HostError(f"systemd refuses {name}: {text.replace(str(folder) + '/', '')}", "mend its template")
    finally:
        files.remove_tree(folder)
    _check_references(name, drafts[name])


def _check_references(name: str, text: str) -> None:
    settings = re.findall(r"^(User|Group|EnvironmentFile|WorkingDirectory)=(.+)$", text, re.M)
    for key, value in settings:
        if key in ("User", "Group"):
            files.ids(value if key == "User" else "root", value if key == "Group" else "root")
        elif not value.startswith(("-", "~")) and not Path(value).exists():
            raise HostError(f"{name}: {key}={value} does not exist", "a resource before the unit must make it")


def forget_failure(unit: str) -> None:
    run("systemctl", "reset-failed", "--", unit, check=False)


def stop(unit: str) -> None:
    run("systemctl", "stop", "--", unit, check=False, timeout=150)


def disable(unit: str) -> None:
    run("systemctl", "disable", "--", unit, check=False)


def state(shown: dict[str, str], inputs: str) -> dict[str, Any]:
    """The state of a unit as the Unit resource compares it."""
    tried = shown.get("ConditionTimestampMonotonic", "0") != "0"
    return {
        "load": shown.get("LoadState", "not-found"),
        "active": shown.get("ActiveState", "inactive"),
        "sub": shown.get("SubState", "dead"),
        "enabled": shown.get("UnitFileState", ""),
        "reload": shown.get("NeedDaemonReload") == "yes",
        "condition": shown.get("ConditionResult") == "yes" or not tried,
        "inputs": inputs,
    }
