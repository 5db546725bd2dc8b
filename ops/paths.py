"""Where the project keeps things on the controller."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = Path(os.environ.get("TRADING_OPS_INVENTORY") or ROOT / "inventory.yaml").absolute()
"""Another file, with its own secrets beside it, is named by TRADING_OPS_INVENTORY."""
SECRETS = INVENTORY.with_name("secrets.age")
RECIPIENTS = INVENTORY.with_name("secrets.recipients")
ROLES = ROOT / "roles"
TEMPLATES = ROOT / "templates"
LOCKS = ROOT / "locks"
CACHE = ROOT / ".cache"
"""Rebuildable: wheels, the agent's archive. Deleting it costs time only."""
LAB = ROOT / ".lab"
"""A lab's SSH keys and throwaway secrets; the machines themselves live outside the checkout."""
