"""The project's secrets for the log book on the controller: known values to mask, and the model's key."""

from __future__ import annotations

import sys

from ops import paths
from ops.errors import SecretsError
from ops.secrets import Vault, lab_vault, project_vault

OPENAI = "openai_key"


def secrets() -> dict[str, str]:
    """Name -> value of every secret this machine can read; a host's own value under `name@host`."""
    found: dict[str, str] = {}
    for vault in (project_vault(), lab_vault()):
        found = _values(vault) | found
    return found


def _values(vault: Vault) -> dict[str, str]:
    try:
        data = vault.read()
    except SecretsError:
        if vault.path == paths.SECRETS:
            sys.stderr.write(f"note: {vault.path.name} cannot be read here: secrets are known by their patterns only\n")
        return {}
    own = {f"{name}@{host}": value for host, values in data["hosts"].items() for name, value in values.items()}
    return {**own, **data["global"]}
