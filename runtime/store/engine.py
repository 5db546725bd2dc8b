"""Engines for the two databases: every commit survives a power cut, one process writes at a time, readers never wait.

A place is a file (SQLite) or the URL of a PostgreSQL database, which holds a password and so is a Secret.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from runtime.keys import Secret
from runtime.store import ready
from runtime.store.errors import StoreError

Place = Path | Secret

# TradingView hangs up after 3 s: these and the limit of a write together must leave it a 503 it can act on.
BUSY_MS = 1000
STATEMENT_MS = 1500
READ_MS = 5000  # a page of a large ledger may take longer than an alert may wait

PRAGMAS = (
    # Of a new file. A commit writes each page that it touched whole, and an alert touches many pages a little.
    "PRAGMA page_size=2048",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # in WAL mode NORMAL does not sync at commit: a power cut would lose acknowledged rows
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_size_limit=67108864",
)

# Each given to the server by its name, so that no server's own default weakens a commit or lets a session linger.
_SESSION = {
    "synchronous_commit": "on",
    "lock_timeout": BUSY_MS,
    "idle_in_transaction_session_timeout": 5000,  # a process that hangs must not keep the others from writing
    "client_min_messages": "warning",
    # So the server, too, learns soon that a host is gone, and gives its locks to another.
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 3,
}
# A server that vanished without a word is noticed by the kernel: within 2 s while something is being sent, else in 8 s.
_LINK = {
    "connect_timeout": 2,
    "tcp_user_timeout": 2000,
    "keepalives_idle": 5,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "application_name": "trading-ops",
}


def key(*names: str) -> int:
    """The number of an advisory lock: those of different services in one database never meet."""
    return int.from_bytes(hashlib.sha256("/".join(("trading-ops", *names)).encode()).digest()[:8], signed=True)


def readers(place: Place, schema: str) -> Engine:
    """Every transaction sees one moment of the database, and cannot write."""
    if isinstance(place, Path):
        return _sqlite(place, "BEGIN")
    options = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    return _postgres(place, schema, READ_MS, pool_size=4, execution_options=options)


def writers(place: Place, schema: str) -> Engine:
    """Every transaction waits until it is the only one that writes, before it reads anything."""
    if isinstance(place, Path):
        return _sqlite(place, "BEGIN IMMEDIATE")
    engine = _postgres(place, schema, STATEMENT_MS, pool_size=1, isolation_level="READ COMMITTED")
    lock = f"SELECT pg_advisory_xact_lock({key(schema, 'write')})"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(lock).close())
    return engine


def sessions(place: Secret, schema: str) -> Engine:
    """Connections of their own, each statement its own transaction: for locks that last as long as the session."""
    return _postgres(place, schema, STATEMENT_MS, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def unhurried(connection: Connection) -> None:
    """Lift the time limits of this transaction: for the work of a start, which nobody waits for on the line."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")


def named(place: Place) -> str:
    """The place as people know it, without its password."""
    if isinstance(place, Path):
        return str(place)
    url = _url(place)
    host = url.host or url.query.get("host") or "the local socket"
    return f"the PostgreSQL database {url.database} at {host}"


def file(place: Place) -> tuple[int, int] | None:
    """Which file stands at the place now, as (device, inode); None when none does, or when it is no file's place."""
    try:
        found = place.stat() if isinstance(place, Path) else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _sqlite(path: Path, begin: str) -> Engine:
    options = {"timeout": BUSY_MS / 1000}
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, pool_size=4, connect_args=options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for savepoints and reads
        for pragma in PRAGMAS:
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        ready.run(connection, begin)

    return engine


def _postgres(place: Secret, schema: str, statement_ms: int, **options: Any) -> Engine:
    url = _url(place)
    wanted = _SESSION | {"search_path": schema, "statement_timeout": statement_ms}
    given = str(url.query.get("options", ""))
    said = " ".join([given, *(f"-c {name}={value}" for name, value in wanted.items())]).strip()
    if "pool_size" in options:
        options |= {"pool_pre_ping": True, "pool_timeout": 2, "max_overflow": 4}
    return create_engine(url, hide_parameters=True, connect_args=_LINK | {"options": said}, **options)


def _url(place: Secret) -> URL:
    """Raises StoreError, without the text: it holds a password."""
    expected = StoreError("the database's URL cannot be read; expected postgresql://USER:PASSWORD@HOST/DATABASE")
    try:
        return make_url(place.reveal()).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise expected from None
