"""Alembic, driven without its files of settings: the revisions of a schema, taken in the caller's transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Constraint, inspect

from runtime.store import types

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from runtime.store.schema import Schema

FOLDER = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, schema: Schema, before: str | None) -> None:
    """Take every revision after `before`. What goes wrong leaves the transaction to be rolled back by the caller."""
    scripts = directory(schema.name)
    context = MigrationContext.configure(connection)
    if before is not None and not context.get_current_heads():
        context.stamp(scripts, before)
    with Operations.context(context):
        for script in reversed([*scripts.iterate_revisions("head", before or "base")]):
            script.module.upgrade()
            context.stamp(scripts, script.revision)


def directory(name: str) -> ScriptDirectory:
    """The revisions of a service."""
    folder = str(FOLDER / name)
    return ScriptDirectory(folder, version_locations=[folder])


def table(name: str, *parts: Column[Any] | Constraint, **options: Any) -> None:
    """Make a table, unless it is there: releases before Alembic made what was absent at every start."""
    if not inspect(op.get_bind()).has_table(name):
        op.create_table(name, *parts, **options)


def columns(name: str, *wanted: Column[Any]) -> None:
    """Add those columns that the table lacks."""
    present = {found["name"] for found in inspect(op.get_bind()).get_columns(name)}
    for column in wanted:
        if column.name not in present:
            op.add_column(name, column)


def index(name: str, of: str, *wanted: str, where: str | None = None, unique: bool = False) -> None:
    """Make an index, unless it is there; with `where` it holds only those rows."""
    partial = types.where(where) if where else {}
    op.create_index(name, of, [*wanted], unique=unique, if_not_exists=True, **partial)


def drop_index(name: str, of: str) -> None:
    """Take an index away, if it is there: it only costs. An older release does without it, more slowly."""
    op.drop_index(name, of, if_exists=True)
