"""From `data.url` to the place it means."""

from __future__ import annotations

from pathlib import Path

from quant.dataset.disk import Disk
from quant.dataset.files import Files, absolute


def opened(url: str, endpoint_url: str | None = None) -> Files:
    """A path (relative: from the checkout, `quant.places.home`; ~: the user's folder), or any fsspec address; nothing
    is read yet. `endpoint_url`: where an S3-compatible store answers. Raises UsageError."""
    if "://" not in url or url.startswith("file://"):
        return Disk(Path(absolute(url.removeprefix("file://"))))
    from quant.dataset.remote import Remote  # fsspec: a disk does without

    return Remote(url, endpoint_url)
