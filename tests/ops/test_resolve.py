"""Secrets meet settings: what is unset or refused is told at once, before anything connects, and never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field, field_validator, model_validator

from ops.errors import SecretsError
from ops.inventory import Host, Inventory, load, resolve, secret_values
from ops.role_config import RoleConfig, Secret

Read = Callable[[str], Inventory]
TEXT = """
    version: 1
    hosts:
      a:
        roles: [base, webhook, perf]
        settings:
          base: {timezone: UTC}
          webhook: {webhook_key: {secret: webhook_key}, ops_key: {env: OPS_KEY}}
          perf: {token: {secret: perf_token, generate: true}}
    """


class Kept:
    """A store with these values; it notes what it was asked to make."""

    def __init__(self, **values: str) -> None:
        self.values, self.made = values, list[str]()

    def get(self, name: str, host: str | None = None) -> str | None:
        return self.values.get(name)

    def generate(self, name: str, host: str | None = None) -> str:
        self.made.append(f"{name} {host}")
        return f"generated-{name}"


def test_every_unset_secret_is_told_at_once_with_its_command(read: Read, configs: dict[str, type[RoleConfig]]) -> None:
    kept = Kept()
    with pytest.raises(SecretsError) as caught:
        resolve(read(TEXT).host("a"), configs, kept, env={"OPS_KEY": ""})
    assert str(caught.value).splitlines() == [
        "2 secrets are unset for a:",
        "hosts.a.settings.webhook.webhook_key: secret webhook_key is unset; run ./inv secrets.set webhook_key --host a",
        "hosts.a.settings.webhook.ops_key: environment variable OPS_KEY is unset or empty; run export OPS_KEY=...",
    ]
    assert kept.made == []


def test_a_generated_secret_is_made_for_its_host_once_nothing_else_is_missing(
    read: Read, configs: dict[str, type[RoleConfig]]
) -> None:
    kept, host = Kept(webhook_key="the-webhook-key"), read(TEXT).host("a")
    resolved = resolve(host, configs, kept, env={"OPS_KEY": "the-ops-key"})
    assert kept.made == ["perf_token a"]
    assert secret_values(host, resolved) == {
        "webhook_key": "the-webhook-key",
        "OPS_KEY": "the-ops-key",
        "perf_token": "generated-perf_token",
    }
    assert "the-webhook-key" not in repr(resolved)


class Careful(RoleConfig):
    """A role that checks its secrets, in ways that quote them."""

    timezone: str = "UTC"
    webhook_key: Secret = Field(min_length=40)
    ops_key: Secret
    tokens: tuple[Secret, ...] = ()

    @field_validator("ops_key")
    @classmethod
    def _prefixed(cls, value: Secret) -> Secret:
        if not value.get_secret_value().startswith("ops-"):
            raise ValueError(f"{value.get_secret_value()} does not start with ops-")
        return value

    @model_validator(mode="after")
    def _differ(self) -> Careful:
        if self.webhook_key == self.ops_key:
            raise ValueError(f"both are {self.ops_key.get_secret_value()}")
        return self


CONFIGS: dict[str, type[RoleConfig]] = {"careful": Careful}
KEYS = "webhook_key: {secret: webhook_key}, ops_key: {env: OPS_KEY}"


def careful(folder: Path, keys: str = KEYS) -> Host:
    """A host of that role."""
    path = folder / "inventory.yaml"
    path.write_text(f"version: 1\nhosts:\n  a: {{roles: [careful], settings: {{careful: {{{keys}}}}}}}\n")
    return load(path, CONFIGS).host("a")


@pytest.mark.parametrize(("key", "ops"), [("short-key", "wrong-ops"), ("ops-" + "x" * 40, "ops-" + "x" * 40)])
def test_a_refused_secret_is_named_and_never_shown(key: str, ops: str, tmp_path: Path) -> None:
    with pytest.raises(SecretsError) as caught:
        resolve(careful(tmp_path), CONFIGS, Kept(webhook_key=key), env={"OPS_KEY": ops})
    assert key not in str(caught.value)
    assert ops not in str(caught.value)
    assert caught.value.__context__ is None  # a traceback would show pydantic's own text


def test_a_refused_secret_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(SecretsError) as caught:
        resolve(careful(tmp_path), CONFIGS, Kept(webhook_key="short-key"), env={"OPS_KEY": "wrong-ops"})
    assert str(caught.value).splitlines() == [
        "settings of a are refused:",
        "hosts.a.settings.careful.webhook_key (webhook_key): the value is refused: value should have at least 40 items "
        "after validation, not 9; run ./inv secrets.set webhook_key --host a",
        "hosts.a.settings.careful.ops_key (OPS_KEY): ‹secret:OPS_KEY› does not start with ops-; export another OPS_KEY",
    ]


def test_secrets_in_a_list_are_references_too(tmp_path: Path) -> None:
    host = careful(tmp_path, f"{KEYS}, tokens: [{{secret: one}}, {{secret: two}}]")
    store = Kept(webhook_key="k" * 40, one="first-token", two="second-token")
    resolved = resolve(host, CONFIGS, store, env={"OPS_KEY": "ops-1"})
    assert secret_values(host, resolved)["two"] == "second-token"
