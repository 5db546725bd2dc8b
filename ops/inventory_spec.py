"""The shape of inventory.yaml, before names are looked up and hosts inherit from each other."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]*")
_ADDRESS = re.compile(r"[A-Za-z0-9_:\[][A-Za-z0-9._:%\[\]-]*")


def is_name(value: str) -> bool:
    """Whether a host or a group may be called this (a leading dash would be read as an option by ssh)."""
    return _NAME.fullmatch(value) is not None


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("an address is a host name, an IP address or a name in ~/.ssh/config, without spaces")
    return value


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise ValueError("a user is lower-case letters, digits, dashes and underscores")
    return value


def _host_key(value: str) -> str:
    """The two words of a public key line; the blob must name the same type (RFC 4253, section 6.6)."""
    words = value.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
        named = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode()
    except (IndexError, binascii.Error, UnicodeDecodeError):
        named = ""
    if not named or named != words[0]:
        raise ValueError('a host key is its type and its base64, as in "ssh-ed25519 AAAA..."; see ssh-keyscan HOST')
    return f"{words[0]} {words[1]}"


Values = dict[str, Any]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HostSpec(_Spec):
    """One host as written; `model_fields_set` tells what it says itself."""

    like: StrictStr | None = None
    lab: StrictBool = False
    address: Annotated[StrictStr, AfterValidator(_address)] | None = None
    port: StrictInt = Field(22, ge=1, le=65535)
    user: Annotated[StrictStr, AfterValidator(_user)] = "root"
    key: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    host_key: Annotated[StrictStr, AfterValidator(_host_key)] | None = None
    arch: Literal["x86_64", "aarch64"] = "x86_64"
    python: Literal["3.11", "3.12", "3.13"] = "3.11"
    roles: list[StrictStr] = []
    vars: Values = {}
    settings: dict[str, Values] = {}


class GroupSpec(_Spec):
    """A group as written; the short form, a plain list of hosts, is brought to this one first."""

    hosts: list[StrictStr] = []
    vars: Values = {}
    settings: dict[str, Values] = {}


class JournalSpec(_Spec):
    """Which runs this checkout's log book is told of; a lab's never are."""

    deploys: StrictBool = True
    rollbacks: StrictBool = True
    rotations: StrictBool = True


class TopSpec(_Spec):
    version: Literal[1] | None = None
    journal: JournalSpec = JournalSpec()
    groups: dict[str, Any] = {}
    hosts: dict[str, Any] = {}
