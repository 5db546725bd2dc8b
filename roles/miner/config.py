"""The settings of the role miner, checked as cgminer would want them: it corrects or ignores in silence."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from ops.fields import ListenAddress, Port
from ops.role_config import RoleConfig, Secret

Kind = Literal["compac", "2pac", "terminus", "newpac", "r606", "compacf", "r909", "compaca1", "compaca2"]
RANGES: dict[str, tuple[float, float]] = {
    "compac": (6.25, 500), "2pac": (6.25, 500), "terminus": (6.25, 500), "newpac": (50, 900), "r606": (50, 900),
    "compacf": (100, 800), "r909": (100, 800), "compaca1": (100, 800), "compaca2": (100, 800),
}  # fmt: skip
"""MHz that the chip of each kind of stick takes (driver-gekko.c, limit_freq). tests compare it with miner.sticks."""
WHOLE = frozenset(RANGES) - {"compac", "2pac", "terminus"}
"""Kinds whose option takes whole numbers only."""
_TUNING = "serial|start-freq|step-freq|step-delay|tune-up|tune-down|tune2|wait-factor"
OURS = re.compile(
    rf"pools?|api-.*|gekko-(?:(?:{'|'.join(RANGES)})-freq|{_TUNING})|hotplug|log|text-only|config|user|pass|userpass|url"
)
"""Options that settings stand for."""
_PRINTABLE = re.compile(r'[^"\\\x00-\x1f\x7f]*')
_URL = re.compile(r"(?:stratum\+tcp|https?)://[A-Za-z0-9.\-\[\]:]+:\d{1,5}(?:[/#][^\s\"\\@]*)?")
_CREDENTIALS = re.compile(r"://[^/]*:[^/]*@")


def _plain(value: str) -> str:
    """cgminer hands these to the pool as they are, unescaped."""
    if not _PRINTABLE.fullmatch(value):
        raise ValueError('must not contain ", \\ or control characters: cgminer does not escape them towards the pool')
    return value


def _plain_secret(value: SecretStr) -> SecretStr:
    _plain(value.get_secret_value())
    return value


def _pool_url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError("expected stratum+tcp://HOST:PORT; the user and the password have settings of their own")
    return value


def _repository(value: str) -> str:
    if _CREDENTIALS.search(value):
        raise ValueError("a password in a URL is seen by everyone on the host: use a repository that needs none")
    return value


def _range(value: dict[Kind, float]) -> dict[Kind, float]:
    for kind, mhz in value.items():
        low, high = RANGES[kind]
        if not low <= mhz <= high:
            raise ValueError(f"{kind}: {mhz:g} MHz; its chip takes {low:g} to {high:g}")
        if kind in WHOLE and mhz != int(mhz):
            raise ValueError(f"{kind}: {mhz:g} MHz; cgminer takes whole numbers for it, such as {round(mhz)}")
    return value


def _options(value: dict[str, str | bool]) -> dict[str, str | bool]:
    for name, given in value.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise ValueError(f'"{name}" is no option of cgminer: write its long name without --')
        if OURS.fullmatch(name):
            raise ValueError(f'"{name}" has a setting of its own: roles/miner/README.md')
        if given is False or (not isinstance(given, bool) and not _PRINTABLE.fullmatch(given)):
            raise ValueError(f'"{name}" takes true, or a text without " and \\; leave it out to turn it off')
    return value


Plain = Annotated[str, Field(min_length=1), AfterValidator(_plain)]
PlainSecret = Annotated[Secret, AfterValidator(_plain_secret)]
Flag = Annotated[str, Field(pattern=r"^--[a-z0-9][a-zA-Z0-9-]*(=[A-Za-z0-9._/+-]*)?$")]
Allow = Annotated[str, Field(pattern=r"^[RW]:[0-9a-fA-F.:]+(/\d{1,3})?$")]


class PoolConfig(RoleConfig):
    url: Annotated[str, AfterValidator(_pool_url)] = Field(description="stratum+tcp://HOST:PORT")
    user: Plain = Field(description="as the pool wants it, often ADDRESS.WORKER")
    password: PlainSecret = Field(SecretStr("x"), description="most pools take anything; x if left out")


class Config(RoleConfig):
    pools: tuple[PoolConfig, ...] = Field(min_length=1, description="the first that answers is worked for")
    frequency: Annotated[dict[Kind, float], AfterValidator(_range)] = Field({}, description="MHz by kind of stick")
    serials: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")], ...] = Field(
        (), description="only these sticks; empty: all"
    )
    start_freq: int | None = Field(None, ge=25, le=500, description="MHz that the ramp begins at")
    step_freq: float | None = Field(None, ge=1, le=100, description="MHz of a step of the ramp")
    step_delay: int | None = Field(None, ge=1, le=600, description="pause between two steps, in cgminer's unit")
    tune_up: float | None = Field(None, ge=0, le=99, description="percent of the promised hashrate to step up at")
    tune_down: float | None = Field(None, ge=0, le=100, description="percent below which it steps down")
    tune2: int | None = Field(None, ge=0, le=9999, description="minutes until a lowered frequency is tried again")
    wait_factor: float | None = Field(None, ge=0.01, le=2.0)
    options: Annotated[dict[str, str | bool], AfterValidator(_options)] = Field(
        {}, description="any other option of cgminer, by its long name"
    )
    api_listen: ListenAddress = Field("127.0.0.1", description="address of cgminer's API, which knows no password")
    api_port: Port = 4028
    api_allow: tuple[Allow, ...] = Field(("W:127.0.0.1",), min_length=1, description="who may R(ead) and W(rite)")
    hotplug: int = Field(5, ge=1, le=9999, description="seconds between two looks for new sticks")
    log_interval: int = Field(5, ge=1, le=9999, description="seconds that `MHS 5s` stands for")
    watts: float | None = Field(None, ge=0, description="what sticks and hub draw, as you measured it")
    repository: Annotated[str, AfterValidator(_repository)] = Field(
        "https://github.com/ckolivas/cgminer.git",
        pattern=r"^(https?|git|ssh|file)://[^\s\"'$`\\]+$",
        description="git repository of cgminer's source",
    )
    ref: str = Field("master", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", description="branch, tag or full commit")
    configure: tuple[Flag, ...] = Field(("--enable-gekko",), description="flags of configure")
    # -fcommon: gcc 10 and later refuse its headers without. _FORTIFY_SOURCE: a macro of glibc's is undefined without.
    cflags: str = Field("-O2 -fcommon -D_FORTIFY_SOURCE=2", pattern=r"^[A-Za-z0-9_=.,/+ -]*$")
    packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")], ...] = Field(
        (), description="more Debian packages that the build needs"
    )
    keep_builds: int = Field(3, ge=2, le=20, description="how many builds stay on the host")

    @property
    def has_watchdog(self) -> bool:
        """cgminer signs for systemd's watchdog when it is built with libsystemd."""
        return "--enable-libsystemd" in self.configure
