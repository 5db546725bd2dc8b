"""Ready sets of guards, one JSON file each: `about` says where its figures come from, `rules` are a scope's."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from runtime.payload import Json


@cache
def shipped() -> dict[str, Json]:
    """Every preset by its name."""
    files = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".json"))
    return {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in files}
