"""Where the project keeps things on the controller."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = ROOT / "inventory.yaml"
SECRETS = ROOT / "secrets.age"
RECIPIENTS = ROOT / "secrets.recipients"
ROLES = ROOT / "roles"
TEMPLATES = ROOT / "templates"
LOCKS = ROOT / "locks"
CACHE = ROOT / ".cache"
"""Rebuildable: wheels, the agent's archive. Deleting it costs time only."""
LAB = ROOT / ".lab"
"""A lab's SSH keys and throwaway secrets; the machines themselves live outside the checkout."""
