"""A sink's terms: of several processes, the one that took it over last is the one that delivers."""

from __future__ import annotations

from sqlalchemy import Column, text

from runtime.store.revisions import columns
from runtime.store.types import Id

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    columns("outbox", Column("term", Id, nullable=False, server_default=text("0")))
