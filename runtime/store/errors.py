"""What can be said of a database's error: its reason, without the values of the statement that failed."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """The store could not commit; nothing of this write was stored, and sending it again can help."""


def why(error: Exception) -> str:
    """The reason in one line. PostgreSQL's DETAIL and CONTEXT lines quote rows: they are left out."""
    if not isinstance(error, DBAPIError):
        return str(error)
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
    return " ".join(said.split())
