"""What can go wrong on the controller, as a person reads it.

OpsError (exit 1)
 ├── UsageError (exit 2): the command line or an argument is wrong
 ├── InventoryError: inventory.yaml, every problem at once (ops.inventory)
 ├── SecretsError: a secret is unset, unreadable or cannot be kept (ops.secrets)
 ├── ConnectError: the host cannot be reached or is not who we trust (ops.wire)
 ├── ReleaseError: the wheelhouse cannot be built (ops.release)
 └── LabError: this machine cannot run a lab, or a lab host will not boot (ops.lab)
"""

from __future__ import annotations


class OpsError(Exception):
    """A failure told to a person: what failed, and what to do next.

    `message` says what failed, where and with which value; `hint` is the next command or edit. Exit status is `code`.
    """

    code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message


class UsageError(OpsError):
    """The command was called wrongly."""

    code = 2


class InventoryError(OpsError):
    """inventory.yaml says something that cannot be; the message lists every problem."""


class SecretsError(OpsError):
    """A secret is unset, cannot be decrypted, or cannot be stored."""


class ConnectError(OpsError):
    """The host does not answer, refuses our key, or shows a key we do not trust."""


class ReleaseError(OpsError):
    """The release could not be assembled on the controller."""


class LabError(OpsError):
    """A lab host cannot be made, booted or removed here."""
