"""The pages' files, read once. Their address holds a hash over all of them, so a browser may keep them for ever.

One hash for the whole folder: a script's relative imports stay within the release it came from.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from runtime.webui.shell import whole

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served. A LICENSE or a list of sums in the folder is not."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it goes out; `packed` is the same compressed by gzip."""

    media_type: str
    body: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """Every file by its path below `static/`, and the hash over all of them."""

    version: str
    files: dict[str, Asset]

    def page(self, name: str, values: dict[str, str]) -> bytes:
        """A page in the shell, its `$names` replaced. The values are our own settings, and must not need escaping."""
        html = whole(self.files["shell.html"].body.decode(), self.files[name].body.decode())
        return Template(html).substitute(values, version=self.version).encode()


@cache
def bundle() -> Bundle:
    """The files of this release."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
    total, files = hashlib.sha256(), dict[str, Asset]()
    for path in paths:
        name, body = path.relative_to(FOLDER).as_posix(), path.read_bytes()
        total.update(f"{name}\0{len(body)}\0".encode() + body)
        files[name] = Asset(TYPES[path.suffix], body, gzip.compress(body, 6, mtime=0))
    return Bundle(total.hexdigest()[:16], files)
