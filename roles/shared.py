"""What more than one role describes: in the same words, so that it is one thing on a host that has them all."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ops.resources import AptRepo, File
from ops.role_config import RoleConfig

JOURNAL = File("/opt/trading/journal.md", owner="trading", group="trading", mode=0o640)
"""The log book. What is in it is nobody's to plan: services, people and git bring it there."""


class RepositoryConfig(RoleConfig):
    """A Debian repository. `key` is pinned here: nothing that is signed by another one is installed."""

    key: str = Field(pattern=r"^-----BEGIN PGP PUBLIC KEY BLOCK-----", description="armoured; another one is refused")
    uri: Annotated[str, Field(pattern=r"^(https?://|file:/)[^\s]+$")] | None = Field(
        None, description="default: the vendor's"
    )
    suite: str | None = Field(None, pattern=r"^[A-Za-z0-9./_-]+$", description="default: bookworm")
    component: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]+$", description="default: the vendor's")

    def at(self, name: str, uri: str, suite: str, component: str) -> AptRepo:
        """The repository as a resource; the arguments are the vendor's own, for what is not given."""
        key = self.key.strip() + "\n"
        return AptRepo(name, (self.uri or uri,), (self.suite or suite,), key, (self.component or component,))
