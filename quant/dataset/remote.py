"""A folder anywhere fsspec reaches; of S3 also conditional writes. An object store puts an object as a whole."""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
from collections.abc import Iterable
from typing import Any

import fsspec  # type: ignore[import-untyped]

from quant.dataset.files import Changed, Files
from quant.errors import UsageError

REFUSED = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What S3 answers to a conditional write when someone else was faster."""


class Remote(Files):
    locks = False

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        """Raises UsageError when nothing can serve the URL."""
        options: dict[str, Any] = {"endpoint_url": endpoint_url} if endpoint_url else {}
        self.url = url
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
        except (ValueError, ImportError, TypeError) as error:
            raise UsageError(f"data.url {url!r} cannot be used: {error}") from None
        self._conditional = "s3" in self._fs.protocol

    def find(self, pattern: str) -> list[str]:
        with self.told(pattern):
            below = self._fs.find(f"{self._root}/{_fixed(pattern)}".rstrip("/"))  # one listing, however deep
        relative = (path.removeprefix(self._root).lstrip("/") for path in below)
        return sorted(path for path in relative if _matches(path, pattern))

    def read(self, paths: Iterable[str]) -> list[bytes]:
        """Several at a time."""
        wanted = [f"{self._root}/{path}" for path in paths]
        with self.told(", ".join(wanted), may_miss=True):
            # not `cat`: it takes a [ in a path for a pattern
            return list(self._fs.cat_ranges(wanted, None, None, on_error="raise"))

    def version(self, path: str) -> str | None:
        with contextlib.suppress(FileNotFoundError), self.told(path, may_miss=True):
            return str(self._fs.info(f"{self._root}/{path}")["ETag"]) if self._conditional else None
        return None

    def write(self, path: str, data: bytes) -> None:
        with self.told(path):
            self._fs.pipe_file(f"{self._root}/{path}", data)

    def replace(self, path: str, data: bytes, seen: str | None) -> None:
        if not self._conditional:
            self.write(path, data)
            return
        condition = {"mode": "create"} if seen is None else {"IfMatch": seen}
        with self.told(path):
            try:
                self._fs.pipe_file(f"{self._root}/{path}", data, **condition)
            except OSError as error:
                if _code(error) in REFUSED:
                    raise Changed(path) from None
                raise

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            with contextlib.suppress(FileNotFoundError), self.told(path, may_miss=True):
                self._fs.rm_file(f"{self._root}/{path}")

    def alone(self, folder: str) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def _fixed(pattern: str) -> str:
    """The folders of a pattern before the first that has a *."""
    return "/".join(itertools.takewhile(lambda part: "*" not in part, pattern.split("/")[:-1]))


def _matches(path: str, pattern: str) -> bool:
    names, patterns = path.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatch.fnmatchcase, names, patterns))


def _code(error: OSError) -> str:
    """S3's own word for it: the exceptions they become are not always the same."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
