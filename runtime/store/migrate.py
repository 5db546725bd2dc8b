"""Bringing a database that an older release made up to what this one needs, in place and forward only.

Steps may only add: a release that is rolled back to must still be able to write what it knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, MetaData

Step = tuple[str, ...]
"""SQL statements that lead from one version to the next."""


def migrate(connection: Connection, metadata: MetaData, steps: Sequence[Step]) -> None:
    """Make what is missing: a new file gets `metadata`'s tables, an old one first the steps it has not seen.

    The version is SQLite's own `user_version`: the number of steps taken. Runs inside one transaction.
    """
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE type = 'table'").scalar_one()
    for step in steps[version:] if tables else ():
        for statement in step:
            connection.exec_driver_sql(statement)
    metadata.create_all(connection)
    if version < len(steps):
        connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")
