"""Each kind of resource has its twin here."""

from __future__ import annotations

from ..memory import Memory
from .accounts import Group, User
from .apt import AptPackages, AptRepo
from .base import Kind
from .block import Block
from .build import Build
from .command import Command
from .compose import Compose
from .git import Git
from .paths import Directory, File, Symlink
from .release import Release
from .unit import Unit, UnitFile
from .watched import Say


def all_kinds(memory: Memory, drafts: dict[str, str], say: Say = lambda event, text: None) -> dict[str, Kind]:
    """Kinds by the name that the document uses; `drafts` are the plan's unit files by name, `say` tells how long work
    goes on."""
    return {
        "file": File(), "block": Block(), "directory": Directory(), "symlink": Symlink(), "user": User(),
        "group": Group(), "apt-repo": AptRepo(), "apt-packages": AptPackages(), "git": Git(), "release": Release(),
        "command": Command(), "compose": Compose(), "build": Build(say), "unit-file": UnitFile(drafts),
        "unit": Unit(memory),
    }  # fmt: skip
