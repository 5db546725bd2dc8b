"""events.jsonl: every alert with the right key, taken or refused, as one line of JSON."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Table

from runtime.journal import rotation
from runtime.outbox.file_sink import Feed, FileWorker
from runtime.settings import Rotation
from runtime.store import Store

log = logging.getLogger("runtime.jsonl")


class JsonlWorker(FileWorker):
    """Nobody waits for a line of it, so its batches are further apart than the log book's."""

    name = "jsonl"
    log = log
    recovered = "events.jsonl is written again"
    gather = 0.25

    def __init__(
        self,
        store: Store,
        table: Table,
        feed: Feed,
        path: Path,
        rules: Rotation,
    ) -> None:
        super().__init__(store, table, feed, path)
        self._rules = rules
        self._is_tidy = False

    def before(self, delivered: int) -> None:
        """No entry is under way: the moment to put a full file aside. Packing that fails is tried again at the next."""
        if rotation.rotate(self._path, self._rules, delivered):
            self._is_tidy = False
        if not self._is_tidy:
            self._is_tidy = True
            try:
                rotation.tidy(self._path, self._rules)
            except OSError as error:
                self.log.warning("files put aside are not packed: %s", error)
