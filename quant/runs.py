"""A run's folder, reports/RUN_ID: all of it, or none.

A run is its kind, its config, the data's hash and the code's version: the same run has the same id, when it is not
named, and the same bytes. Nothing in the folder tells when, where or under which name it was made. Files are written
into reports/.RUN_ID.part, which nobody else can write into meanwhile, and which is renamed when all is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from quant import places
from quant.errors import NoData, UsageError
from runtime import disk

if TYPE_CHECKING:
    from quant.candles import Candles
    from quant.config import Config
    from quant.dataset import Funding

AUTO = "auto"
ABOUT = "run.json"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass
class Run:
    """`folder` is where to write while the run is made, and where it is once `existed` or `finish()`ed.

    A context manager: left without `finish()`, it leaves nothing, unless it was begun with `resume`.
    """

    id: str
    config: Config
    about: dict[str, Any]
    folder: Path
    existed: bool
    resume: bool = False
    _lock: int | None = None

    @classmethod
    def begin(
        cls,
        config: Config,
        data_hash: str,
        run_id: str | None = None,
        title: str | None = None,
        *,
        kind: str = "backtest",
        source: str | None = None,
        resume: bool = False,
    ) -> Run:
        """The run of that id, or `auto` (or None, or empty): the id that is made of what it is.

        `config` is settled first (parameters completed, `source` as the exchange's id, `title` in it): take it from
        the run. `existed`: the very same run is there, finished. `resume`: what an interrupted one left is kept.
        Raises UsageError: another run has that id, another process makes it, or the id cannot be a folder's name.
        """
        config = settled(config, source=source, title=title)
        about = _about(kind, config, data_hash)
        name = _checked(run_id) if run_id and run_id != AUTO else _made_of(about, config)
        target = places.reports() / name
        if target.exists():
            _same(name, about, read_json(target / ABOUT) if (target / ABOUT).exists() else {})
            return cls(name, config, about, target, existed=True)
        run = cls(name, config, about, target.with_name(f".{name}.part"), existed=False, resume=resume)
        try:
            run._open()
        except BaseException:
            run._close()
            raise
        return run

    def write_json(self, name: str, content: Mapping[str, object]) -> None:
        """Raises ValueError for nan: JSON has none."""
        self.write(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8", newline="")

    def finish(self) -> Path:
        """Give the folder its name; the files are on disk by then. Returns where it is."""
        for path in self.folder.iterdir():
            disk.sync(path)
        disk.sync(self.folder)
        target = self.folder.with_name(self.id)
        self.folder.rename(target)
        disk.sync(target.parent)
        self.folder = target
        self._close()
        return target

    def _open(self) -> None:
        from quant.config import resolved

        self._lock = _locked(self.folder, self.id)
        given = self.folder / ABOUT
        if self.resume and given.exists():
            _same(self.id, self.about, read_json(given))
            return
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.write("config.yaml", resolved(self.config))
        self.write_json(ABOUT, self.about)

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None and not self.resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._close()


def settled(config: Config, *, source: str | None = None, title: str | None = None) -> Config:
    """With what was left open told: the strategy's parameters, whose candles, the title. Raises UsageError."""
    from quant import strategies

    chosen = config.strategy
    params = (
        strategies.get(chosen.name).complete(chosen.params) | chosen.params
    )  # a strange name is the engine's to refuse
    changes: dict[str, object] = {"strategy": chosen.model_copy(update={"params": params})}
    if source:
        changes["exchange"] = config.exchange.model_copy(update={"id": source})
    if title:
        changes["title"] = title
    return config.model_copy(update=changes)


def find(run_id: str) -> Path:
    """A finished run's folder. Raises NoData naming the nearest, UsageError for what cannot be an id."""
    folder = places.reports() / _checked(run_id)
    if (folder / ABOUT).is_file():
        return folder
    import difflib

    near = difflib.get_close_matches(run_id, all_ids(), 3, 0.3)
    hint = f"there are {', '.join(near)}" if near else f"{places.reports()} has a folder for each run"
    raise NoData(f"no run {run_id}", hint=hint)


def all_ids() -> list[str]:
    """Of the finished runs."""
    return sorted(path.parent.name for path in places.reports().glob(f"[!.]*/{ABOUT}"))


def read_json(path: Path) -> dict[str, Any]:
    """Raises NoData when it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NoData(f"{path} cannot be read: {error}", hint="move its folder away, and run it again") from None
    return found if isinstance(found, dict) else {}


def data_hash(*parts: str) -> str:
    """One hash of several; of one, itself."""
    return parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()


def hash_of(candles: Candles, funding: Funding | None = None) -> str:
    """Of all that a run reads: the candles, and the funding settled while they last, if any."""
    if funding is None:
        return candles.sha256
    end = int(candles.time[-1]) + candles.timeframe.ms
    within = slice(*funding.time.searchsorted([candles.time[0], end]).tolist())
    found = hashlib.sha256()
    for column in (funding.time[within], funding.rate[within]):
        found.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return data_hash(candles.sha256, found.hexdigest())


def _about(kind: str, config: Config, data: str) -> dict[str, Any]:
    from quant.compiled import code_version
    from quant.config import resolved

    text = hashlib.sha256(resolved(config).encode()).hexdigest()
    return {
        "kind": kind,
        "title": config.title,
        "config": text,
        "data": data,
        "code": code_version(),
        "seed": config.seed,
    }


def _made_of(about: Mapping[str, object], config: Config) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    symbol = _UNSAFE.sub("", config.data.symbol.split(":")[0])[:20] or "symbol"
    words = [config.strategy.name, symbol, config.data.timeframe, digest]
    return "-".join(words if about["kind"] == "backtest" else [str(about["kind"]), *words])


def _checked(run_id: str) -> str:
    if not _ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} cannot be a run id", hint="at most 100 letters, digits, dots, dashes, underscores; or auto"
        )
    return run_id


def _same(name: str, about: Mapping[str, object], other: Mapping[str, object]) -> None:
    differs = [key for key, value in about.items() if other.get(key) != value]
    if differs:
        raise UsageError(
            f"run {name} exists already, and is another: it differs in {', '.join(differs)}",
            hint=f"choose another --run-id, or remove {places.reports() / name}",
        )


def _locked(folder: Path, name: str) -> int:
    """Make the folder and hold it: the kernel lets go of it when its holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == folder.stat().st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    raise UsageError(f"run {name} is being made by another process", hint="wait for it, or choose another --run-id")
