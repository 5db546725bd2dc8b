"""The unit and env templates: complete, accepted by systemd, and tight enough."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import SecretStr

TEMPLATES = Path(__file__).parents[2] / "templates"
SECRET = 'a"b\\c$d`e é#;'
CONFIG = SimpleNamespace(
    listen="0.0.0.0",  # noqa: S104 - a unit's text
    port=8000,
    webhook_key=SecretStr(SECRET),
    ops_key=SecretStr("ops-key"),
    token=SecretStr(SECRET),
    timezone="America/Montreal",
    equity0=10_000.0,
    reversal="keep",
)


def render(name: str, **changes: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - unit files, not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(c=SimpleNamespace(**{**vars(CONFIG), **changes}))


@pytest.mark.parametrize("unit", ["tv-webhook", "perf"])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
def test_the_service_is_hardened(unit: str, tmp_path: Path) -> None:
    path = tmp_path / f"{unit}.service"
    path.write_text(render(f"systemd/{unit}.service.j2"))
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-200:]


@pytest.mark.parametrize("unit", ["tv-webhook", "perf"])
@pytest.mark.parametrize(
    ("listen", "expected"), [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000"), ("::", "[::]:8000")]
)
def test_the_socket_listens_where_it_is_told(unit: str, listen: str, expected: str) -> None:
    assert f"ListenStream={expected}\n" in render(f"systemd/{unit}.socket.j2", listen=listen)


@pytest.mark.parametrize(("name", "variable"), [("webhook", "TV_WEBHOOK_KEY"), ("perf", "PERF_TOKEN")])
def test_a_secret_survives_systemds_quoting(name: str, variable: str) -> None:
    lines = dict(line.split("=", 1) for line in render(f"env/{name}.env.j2").splitlines() if not line.startswith("#"))
    assert lines[variable] == '"a\\"b\\\\c\\$d\\`e é#;"'
