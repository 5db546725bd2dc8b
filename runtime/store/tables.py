"""The webhook's store: what `tv-webhook` writes, and what those who deliver from it read.

All times are UTC, ISO 8601 with six decimals (`runtime.clock.iso`), so text order is time order. Event ids have no gaps
and are given in the order of the commits, so a sink's cursor can trust them.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, Table, false, text

from runtime.store.schema import Schema
from runtime.store.types import Id, Text, where

metadata = MetaData()

# Whoever adds a column, an index or a table here adds a revision in migrations/webhook, and names it here.
# Files of releases that counted steps differ in what they have: the revisions after the first add what is absent.
SCHEMA = Schema("webhook", metadata, head="0010", counted=("0001", "0001", "0001"))

# Every alert that came with the right key: accepted, refused, repeated.
events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ts", Text, nullable=False),  # when the alert arrived
    Column("ip", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("tf", Text, nullable=False),
    Column("price", Float),
    Column("tp", Float),
    Column("sl", Float),
    Column("reason", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON, without the key
    # NULL in all of these: stored by a release that did not know them, which means it was accepted.
    Column("outcome", Text),  # a router's Outcome, or `invalid`
    Column("status", Integer),  # HTTP
    Column("reason_text", Text),  # why, for people
    Column("event_type", Text),
    Column("qty", Float),
    Column("risk_usd", Float),
    Column("risk_real_usd", Float),
    Column("trade_id", Text),
    Column("dedupe_key", Text),  # only of those that a repetition may refer to
    Column("key_name", Text),  # which of the keys it came with
    Column("guards", Text),  # JSON: what each guard that spoke up said; NULL: none did
    Column("request", Text),  # the request's id, as in the log
    Index("events_by_dedupe", "dedupe_key", "id", **where("dedupe_key IS NOT NULL")),
    Index("events_by_engine", "engine", "id"),
    sqlite_autoincrement=True,  # an id is never given twice, so a cursor can trust it
)

# One row for each sink: how far it got, and what it was about to write.
outbox = Table(
    "outbox",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("delivered", Id, nullable=False),  # the last event (perf: message) that is done
    Column("intent", Text),
    Column("error", Text),  # why the last attempt failed; NULL: it did not
    Column("failing_since", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),  # since then
    Column("term", Id, nullable=False, server_default=text("0")),  # how often a process has taken the sink over
)

# What a sink refused for good: kept, shown, and sent again when an operator says so.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sink", Text, nullable=False),
    Column("ref", Id, nullable=False),  # the event's id (perf: the message's)
    Column("reason", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("retry", Boolean, nullable=False, server_default=false()),  # an operator wants it sent again
    Index("dead_letters_by_sink", "sink", "ref", unique=True),
)

# What the ledger must be told, in this order.
messages = Table(
    "perf_messages",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("event_id", Id, nullable=False),  # the alert that caused it
    Column("body", Text, nullable=False),  # JSON, as it is posted
    Column("dead", Text),  # why the ledger refused it for good
    Index("perf_messages_dead", "id", **where("dead IS NOT NULL")),
    sqlite_autoincrement=True,
)

# The exclusive lock.
router = Table(
    "router",
    metadata,
    Column("id", Id, primary_key=True),  # always 1
    Column("engine", Text),  # NULL: free
    Column("since", Text),
    Column("renewed", Text),
    Column("updated_at", Text, nullable=False),
)

# Virtual trades.
trades = Table(
    "trades",
    metadata,
    Column("trade_id", Text, primary_key=True),
    Column("alias", Text),  # the sender's own name of it; it may come again once the trade is closed
    Column("engine", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("entry", Float, nullable=False),
    Column("stop", Float, nullable=False),
    Column("qty", Float, nullable=False),  # units of the underlying
    Column("opened_by", Id, nullable=False),  # event ids
    Column("closed_by", Id),
    Column("locked", Boolean, nullable=False),
    # NULL: stored by a release that did not know them.
    Column("tp", Float),
    Column("risk_usd", Float),  # lost at the stop
    Column("opened_ts", Text),
    Column("closed_ts", Text),
    Column("exit", Float),
    Column("pnl", Float),  # USD
    Column("r", Float),  # pnl / risk_usd
    Column("closed_why", Text),  # stop, target, close, opposite, reversed
    Index("trades_open_by", "engine", "symbol", **where("closed_by IS NULL")),
    Index("trades_open_alias", "alias", **where("closed_by IS NULL AND alias IS NOT NULL")),
    Index("trades_locked", "locked", **where("locked")),
    Index("trades_closed", "closed_by", **where("closed_by IS NOT NULL")),
)

# Who freed the lock by hand.
resets = Table(
    "lock_resets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ts", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("engine", Text),  # who held it; NULL: nobody
)

# What the guards count: one row for each engine, and `*` for the account.
standings = Table(
    "standings",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON, see runtime.router.guards.Standing
)

# What is paused now: `*` for everything, else an engine's name.
pauses = Table(
    "pauses",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("since", Text, nullable=False),
    Column("until", Text),  # NULL: until somebody resumes
    Column("by", Text, nullable=False),  # who: api, telegram, task
    Column("reason", Text, nullable=False),
)

# Checklist items somebody confirmed.
confirmations = Table(
    "confirmations",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("ts", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# Every pause, resume, confirmation and reset, for good.
controls = Table(
    "controls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ts", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

# What a monitor wants people to be told: handed over by it, once for each key, and delivered like the rest.
health = Table(
    "health",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("ts", Text, nullable=False),  # when it was worth telling
    Column("host", Text, nullable=False),
    Column("kind", Text, nullable=False),  # firing, resolved, repeat, action, summary, info
    Column("severity", Text, nullable=False),  # info, warning, critical
    Column("text", Text, nullable=False),  # lines of plain text, in the user's language
    sqlite_autoincrement=True,
)

# A row that readiness is tried with.
Table("store_probe", metadata, Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
