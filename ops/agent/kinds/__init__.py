"""Each kind of resource has its twin here."""

from __future__ import annotations

from ..memory import Memory
from .accounts import Group, User
from .apt import AptPackages, AptRepo
from .base import Kind
from .block import Block
from .command import Command
from .git import Git
from .paths import Directory, File, Symlink
from .release import Release
from .unit import Unit, UnitFile


def all_kinds(memory: Memory, drafts: dict[str, str]) -> dict[str, Kind]:
    """Kinds by the name that the document uses; `drafts` are the plan's unit files by name."""
    return {
        "file": File(), "block": Block(), "directory": Directory(), "symlink": Symlink(), "user": User(),
        "group": Group(), "apt-repo": AptRepo(), "apt-packages": AptPackages(), "git": Git(), "release": Release(),
        "command": Command(), "unit-file": UnitFile(drafts), "unit": Unit(memory),
    }  # fmt: skip
