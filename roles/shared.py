"""What more than one role describes: in the same words, so that it is one thing on a host that has them all."""

from __future__ import annotations

from ops.resources import File

JOURNAL = File("/opt/trading/journal.md", owner="trading", group="trading", mode=0o640)
"""The log book. What is in it is nobody's to plan: services, people and git bring it there."""
