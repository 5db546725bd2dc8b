"""What every section shares."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.plugin import _loader

if getattr(_loader, "_plugins", False) is None:
    vars(_loader)["_plugins"] = {}
    """Looking through every installed package for plugins of pydantic's takes 0.15 s, and none is meant to be there."""


class Section(BaseModel):
    """A misspelt name is an error, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
