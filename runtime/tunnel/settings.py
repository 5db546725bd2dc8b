"""What ngrok-tv is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime import settings
from runtime.settings import Reader
from runtime.tunnel.kinds import KINDS, Kind
from runtime.tunnel.state import PATH


@dataclass(frozen=True)
class TunnelSettings:
    """TUNNEL_KIND, TUNNEL_PROGRAM, TUNNEL_SECRET (a file), TUNNEL_URL (public), TUNNEL_UPSTREAM, TUNNEL_INSPECTOR
    (empty: the kind has none), TUNNEL_TAKE_OVER (yes or no), TUNNEL_STATE (a file), TUNNEL_UNIT.
    """

    kind: Kind
    program: str
    secret: str
    url: str
    upstream: str
    inspector: str
    take_over: bool
    state: Path
    unit: str

    @property
    def command(self) -> list[str]:
        return [self.program, *self.kind.arguments(self.secret, self.upstream, self.url)]


def tunnel(environ: Mapping[str, str] | None = None) -> TunnelSettings:
    """Raises SettingsError naming each variable that is missing or wrong."""
    env = Reader(settings.environment() if environ is None else environ)
    kind = env.read("TUNNEL_KIND", "ngrok", _kind)
    found = TunnelSettings(
        kind=kind,
        program=env.read("TUNNEL_PROGRAM", kind.program, str),
        secret=env.read("TUNNEL_SECRET", "/dev/null", str),
        url=env.read("TUNNEL_URL", "none", str).removesuffix("/").replace("none", ""),
        upstream=env.service("TUNNEL_UPSTREAM", "http://127.0.0.1:8000"),
        inspector=env.service("TUNNEL_INSPECTOR", kind.inspector) if kind.inspector else "",
        take_over=env.read("TUNNEL_TAKE_OVER", "no", _yes),
        state=env.read("TUNNEL_STATE", str(PATH), Path),
        unit=env.read("TUNNEL_UNIT", "ngrok-tv.service", str),
    )
    env.finish()
    return found


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}")
    return KINDS[text]


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("expected yes or no")
    return text == "yes"
