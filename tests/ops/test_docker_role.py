"""Role docker: what the inventory may say, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ops.inventory import Host
from ops.resources import AptPackages, AptRepo, Command, File, Resource, Unit
from roles.docker.role import Config, Docker

HOST = Host("h", "10.0.0.1", roles=("docker",))
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----"
PLAIN: dict[str, Any] = {"repository": {"key": KEY}}
DEBIAN: dict[str, Any] = {"source": "debian"}


def resources(given: dict[str, Any]) -> list[Resource]:
    return list(Docker().resources(Config.model_validate(given), HOST))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "repository.key is missing: the key of Docker's packages"),
        ({"repository": {"key": "docker.asc"}}, "repository.key"),
        (DEBIAN | PLAIN, "with source: debian there is none"),
        (DEBIAN | {"versions": {"docker-ce": "5"}}, "docker-ce is no package of source debian"),
        (PLAIN | {"versions": {"docker-ce": "5; id"}}, "versions.docker-ce"),
        (PLAIN | {"options": {"live-restore": False}}, "live-restore has a setting of its own: live_restore"),
        (PLAIN | {"log_max_size": "10 MB"}, "log_max_size"),
        (PLAIN | {"data_root": "docker"}, "data_root"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Config.model_validate(given)


def test_docker_s_own_repository_is_trusted_by_the_given_key_only() -> None:
    found = resources(PLAIN | {"versions": {"containerd.io": "1.7.24-1"}})
    repo = next(one for one in found if isinstance(one, AptRepo)).want()
    assert repo == {
        "name": "docker", "key": KEY + "\n",
        "source": "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\n"
        "Signed-By: /etc/apt/keyrings/docker.asc\n",
    }  # fmt: skip
    packages = next(one for one in found if isinstance(one, AptPackages))
    assert packages.names == ("docker-ce", "docker-ce-cli", "containerd.io=1.7.24-1", "docker-compose-plugin")


def test_debian_s_packages_need_no_repository() -> None:
    found = resources(DEBIAN)
    assert not [one for one in found if isinstance(one, AptRepo)]
    assert next(one for one in found if isinstance(one, AptPackages)).names == ("docker.io", "docker-compose")


@pytest.mark.parametrize(("given", "goes"), [(PLAIN, "docker.io"), (DEBIAN, "docker-ce")])
def test_the_other_source_s_packages_are_removed_and_their_data_is_not(given: dict[str, Any], goes: str) -> None:
    found = resources(given)
    gone = next(one for one in found if isinstance(one, Command))
    assert "apt-get remove " in gone.argv[2]
    assert (goes in gone.argv[2], "purge" in gone.argv[2]) == (True, False)
    kinds = [type(one) for one in found]
    assert kinds.index(Command) < kinds.index(AptPackages)


def test_the_daemon_is_told_limits_before_its_first_start_and_restarted_on_a_change() -> None:
    found = resources(PLAIN | {"data_root": "/srv/docker", "options": {"ipv6": True, "dns": ["9.9.9.9"]}})
    settings = next(one for one in found if isinstance(one, File) and one.path == "/etc/docker/daemon.json")
    assert json.loads(settings.content or "") == {
        "data-root": "/srv/docker", "dns": ["9.9.9.9"], "ipv6": True, "live-restore": True,
        "log-driver": "json-file", "log-opts": {"max-file": "3", "max-size": "10m"},
    }  # fmt: skip
    packages = next(at for at, one in enumerate(found) if isinstance(one, AptPackages))
    assert found.index(settings) < packages
    unit = next(one for one in found if isinstance(one, Unit))
    assert (unit.unit, unit.restart_on) == ("docker.service", (settings,))
