"""Stores made by older releases are brought forward in place, wholly or not at all, and lose nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from miner.alerts import tables as monitor
from runtime.keys import Secret
from runtime.perf import tables as perf
from runtime.store import Schema, Store, StoreError, engine, revisions, schema, tables
from runtime.store.engine import Place
from tests.runtime.conftest import ROOT
from tests.runtime.ledger_kit import opened

FIXTURES = Path(__file__).parent / "fixtures"
WEBHOOKS = (
    "webhook_v0",
    "webhook_router",
    "webhook_messages",
    "webhook_alias",
    "webhook_sinks",
    "webhook_router_sinks",
)
# The last is one of webhook_router that webhook_sinks had taken on: it lacks a column that the count says is there.
SCHEMAS = {"webhook": tables.SCHEMA, "perf": perf.SCHEMA, "monitor": monitor.SCHEMA}


def shape(connection: Connection) -> dict[str, Any]:
    """Every table's columns and indexes as the database knows them, whatever their order."""
    seen = inspect(connection)
    return {
        name: (
            {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(name)},
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(str(one["column_names"]) for one in seen.get_unique_constraints(name)),
            {i["name"]: (i["column_names"], bool(i["unique"]), where(i)) for i in seen.get_indexes(name)},
        )
        for name in seen.get_table_names()
    }


def where(index: Any) -> str:
    found = [value for name, value in index.get("dialect_options", {}).items() if name.endswith("_where")]
    return str(found[0]) if found else ""


def shape_at(place: Place, wanted: Schema) -> dict[str, Any]:
    store = Store(place, wanted)
    with store.read() as connection:
        found = shape(connection)
    store.close()
    return found


def restored(path: Path, name: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FIXTURES / f"{name}.sql").read_text())
    return path


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", [*WEBHOOKS, "perf_figures"])
def test_a_file_of_every_release_comes_to_the_same_tables(tmp_path: Path, name: str) -> None:
    wanted = SCHEMAS[name.split("_")[0]]
    old = restored(tmp_path / "old.db", name)
    kept = "SELECT ts, engine, payload FROM events" if wanted.name == "webhook" else "SELECT * FROM history"
    before = rows(old, kept)
    assert shape_at(old, wanted) == shape_at(tmp_path / "new.db", wanted)
    assert rows(old, kept) == before != []
    for path in (old, tmp_path / "new.db"):  # a release that counted its steps finds them all taken
        assert rows(path, "PRAGMA user_version") == [(len(wanted.counted) - 1,)]
        assert rows(path, "SELECT version_num FROM alembic_version") == [(wanted.head,)]


@pytest.mark.parametrize("wanted", SCHEMAS.values(), ids=SCHEMAS)
def test_the_revisions_lead_to_the_tables(wanted: Schema, tmp_path: Path) -> None:
    """Fails for whoever changed a table without a revision: add one, and name it as the schema's head."""
    stepped = tmp_path / "stepped.db"
    climb(stepped, wanted)
    assert shape_at(stepped, wanted) == shape_at(tmp_path / "made.db", wanted)


@pytest.mark.parametrize("wanted", SCHEMAS.values(), ids=SCHEMAS)
def test_the_revisions_lead_to_the_tables_on_postgresql(wanted: Schema, postgres: Any) -> None:
    stepped, made = (Secret(postgres.url(postgres.database())) for _ in range(2))
    climb(stepped, wanted)
    assert shape_at(stepped, wanted) == shape_at(made, wanted)


def climb(place: Place, wanted: Schema) -> None:
    """Take every revision from nothing, which no service ever does: a new store is made from its tables."""
    writers = engine.writers(place, wanted.name)
    with writers.begin() as connection:
        schema._make_home(connection, wanted)
        revisions.upgrade(connection, wanted, None)
    writers.dispose()


@pytest.mark.parametrize("wanted", SCHEMAS.values(), ids=SCHEMAS)
def test_the_head_is_the_newest_revision_and_none_leads_back(wanted: Schema) -> None:
    scripts = revisions.directory(wanted.name)
    assert scripts.get_heads() == [wanted.head]
    for script in scripts.walk_revisions():
        assert not hasattr(script.module, "downgrade")
        assert script.revision.isdecimal()


def test_messages_the_ledger_refused_become_dead_letters(tmp_path: Path) -> None:
    old = restored(tmp_path / "webhook.db", "webhook_messages")
    Store(old, tables.SCHEMA).close()
    found = rows(
        old, "SELECT d.sink, d.ref, d.reason, d.ts = e.ts, d.retry FROM dead_letters d, events e WHERE e.id = 1"
    )
    assert found == [("perf", 1, "400 entry: is missing", 1, 0)]


def with_another(folder: Path, wanted: Schema, body: str) -> Schema:
    """A release with one revision more."""
    shutil.copytree(revisions.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = f"from alembic import op\nrevision, down_revision = '9000', {wanted.head!r}\ndef upgrade():\n    {body}\n"
    (folder / wanted.name / "r9000_next.py").write_text(text)
    return replace(wanted, head="9000")


@pytest.mark.parametrize("name", ["webhook_v0", "webhook_sinks", "perf_figures"])
def test_a_revision_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wanted = SCHEMAS[name.split("_")[0]]
    old = restored(tmp_path / "old.db", name)
    before = rows(old, "SELECT type, name, sql FROM sqlite_master"), rows(old, "PRAGMA user_version")
    broken = with_another(tmp_path / "next", wanted, "op.execute('CREATE TABLE half (a)'); op.execute('CREATE broken')")
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "next")
    with pytest.raises(StoreError, match=r"cannot open .*old\.db: near .broken.: syntax error"):
        Store(old, broken)
    assert (rows(old, "SELECT type, name, sql FROM sqlite_master"), rows(old, "PRAGMA user_version")) == before


def test_a_revision_that_fails_on_postgresql_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    before = shape_at(Secret(database), tables.SCHEMA)
    broken = with_another(
        tmp_path / "next", tables.SCHEMA, "op.execute('CREATE TABLE half (a int)'); op.execute('CREATE x')"
    )
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "next")
    with pytest.raises(StoreError, match="syntax error"):
        Store(Secret(database), broken)
    assert shape_at(Secret(database), tables.SCHEMA) == before


@pytest.mark.parametrize("wanted", SCHEMAS.values(), ids=SCHEMAS)
def test_a_newer_releases_store_serves_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted: Schema
) -> None:
    path = tmp_path / "store.db"
    Store(path, wanted).close()
    newer = with_another(tmp_path / "next", wanted, "op.execute('CREATE TABLE later (a)')")
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "next")
    Store(path, newer).close()
    if wanted.name == "perf":
        with opened(path) as book:
            assert book.open("a")["ok"]
    else:
        Store(path, wanted).close()
    assert "newer release (9000; this one knows" in caplog.text
    assert rows(path, "SELECT version_num FROM alembic_version") == [("9000",)]


def command(service: str, **environ: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "runtime.store.migrate", service]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(line, cwd=ROOT, env={**os.environ, **environ}, **pipes)


def test_by_hand(tmp_path: Path) -> None:
    restored(tmp_path / "webhook.db", "webhook_v0")
    said = [command("webhook", TRADING_STATE_DIR=str(tmp_path)).communicate() for _ in range(2)]
    file, head = tmp_path / "webhook.db", tables.SCHEMA.head
    assert said == [(f"webhook: {before} -> {head} in {file}\n", "") for before in ("0001", head)]
    wrong = command("perf", PERF_STORE_URL="postgresql://me:hidden@[")
    assert "PERF_STORE_URL: expected postgresql://" in (told := "".join(wrong.communicate()))
    assert "hidden" not in told
    assert wrong.returncode == 1
    assert "usage" in command("both").communicate()[1]
    assert "the monitor's store: python -m miner.alerts.migrate" in command("monitor").communicate()[1]


def test_the_monitor_s_own_store_by_hand(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "miner.alerts.migrate"]
    environ = {**os.environ, "TRADING_STATE_DIR": str(tmp_path)}
    said = [subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False) for _ in range(2)]
    assert [one.returncode for one in said] == [0, 0]
    assert said[0].stdout.startswith("monitor: ") and said[0].stdout.endswith(f" in {tmp_path}/monitor.db\n")
    (tmp_path / "monitor.db").write_bytes(b"no database")
    broken = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert broken.returncode == 1 and broken.stderr.startswith("monitor: ") and "Traceback" not in broken.stderr


def test_of_two_that_start_at_once_one_makes_the_tables(database: str) -> None:
    started = [command("webhook", STORE_URL=database) for _ in range(3)]
    said = sorted(one.communicate()[0].split()[1] for one in started)
    assert said == sorted([tables.SCHEMA.head] * 2 + ["nothing"])


@pytest.mark.parametrize("service", ["webhook", "perf"])
def test_alembic_is_not_loaded_when_there_is_nothing_to_do(tmp_path: Path, service: str) -> None:
    code = "import sys, runtime.store.migrate as m; m.main([sys.argv[1]]); print('alembic' in sys.modules)"

    def loaded() -> str:
        line = [sys.executable, "-c", code, service]
        environ = {**os.environ, "TRADING_STATE_DIR": str(tmp_path)}
        done = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
        return done.stdout.split()[-1]

    assert [loaded(), loaded()] == ["False", "False"]
    (tmp_path / f"{service}.db").unlink()
    restored(tmp_path / f"{service}.db", "webhook_v0" if service == "webhook" else "perf_figures")
    assert loaded() == "True" or service == "perf"
    assert loaded() == "False"


def test_what_an_old_file_holds_is_shown(tmp_path: Path) -> None:
    path = restored(tmp_path / "webhook.db", "webhook_router")
    Store(path, tables.SCHEMA).close()
    (trade,) = rows(path, "SELECT engine, alias, tp, closed_ts FROM trades WHERE locked OR engine = 'USDTM_LONG'")
    assert trade == ("USDTM_LONG", None, None, None)
    assert [json.loads(row[0])["engine"] for row in rows(path, "SELECT payload FROM events LIMIT 1")] == [
        "GOLD_CFD_LONG"
    ]
