"""Role tunnel: what the inventory may say, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ops import fields
from ops.inventory import Host
from ops.render import render
from ops.resources import AptPackages, AptRepo, Command, File, Unit
from roles.tunnel.role import Config, Tunnel
from runtime import gate
from tests.unit_kit import assert_hardened, needs_systemd

HOST = Host("h", "10.0.0.1", roles=("webhook", "tunnel"))
TOKEN = "a\"b\\c$d`e #;'x: {y}"
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----"
PLAIN: dict[str, Any] = {"token": TOKEN, "url": "https://name.ngrok-free.dev", "repository": {"key": KEY}}


def config(**given: Any) -> Config:
    return Config.model_validate(PLAIN | given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"repository": None}, "give either repository.key"),
        ({"binary": "/opt/ngrok"}, "give either repository.key"),
        ({"url": None}, "ngrok serves a URL that was reserved"),
        ({"url": "https://name.ngrok-free.dev/tv"}, "url"),
        ({"kind": "frp"}, "kind"),
        ({"repository": {"key": "ngrok.asc"}}, "repository.key"),
        ({"repository": None, "binary": "/opt/ngrok", "version": "3.1"}, "version is a package's"),
        ({"sources": ["tradingvew"]}, "sources"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**given)


def test_ngrok_comes_from_its_vendor_s_repository_in_the_version_that_was_asked_for() -> None:
    found = list(Tunnel().resources(config(version="3.30.0"), HOST))
    repo = next(one for one in found if isinstance(one, AptRepo))
    assert "URIs: https://ngrok-agent.s3.amazonaws.com\nSuites: bookworm" in repo.want()["source"]
    assert repo.want()["key"] == KEY + "\n"
    assert next(one for one in found if isinstance(one, AptPackages)).names == ("ngrok=3.30.0",)
    assert not [one for one in found if isinstance(one, Command)]


def test_tradingview_s_addresses_are_those_that_the_webhook_knows() -> None:
    assert fields.TRADINGVIEW == gate.TRADINGVIEW


def test_a_given_binary_needs_no_repository() -> None:
    found = list(Tunnel().resources(config(repository=None, binary="/opt/ngrok"), HOST))
    assert not [one for one in found if isinstance(one, AptRepo | AptPackages)]
    assert "TUNNEL_PROGRAM=/opt/ngrok\n" in render(
        "env/tunnel.env.j2", {"c": config(repository=None, binary="/opt/ngrok")}
    )


@pytest.mark.parametrize("kind", ["cloudflared", "tailscale"])
def test_the_same_slot_takes_another_vendor(kind: str) -> None:
    found = list(Tunnel().resources(config(kind=kind), HOST))
    assert next(one for one in found if isinstance(one, AptPackages)).names == (kind,)
    secret = next(one for one in found if isinstance(one, File) and one.path.endswith("tunnel.secret"))
    assert render(str(secret.template), secret.context or {}) == f"{TOKEN}\n"
    assert [one.unit for one in found if isinstance(one, Unit)][-1] == "ngrok-tv.service"
    joins = [one.argv for one in found if isinstance(one, Command)]
    assert joins == ([] if kind == "cloudflared" else [("tailscale", "up", joins[0][2], "--operator=trading")])


def test_any_token_is_one_value_of_ngrok_s_configuration() -> None:
    text = render("env/ngrok.yml.j2", {"c": config(policy=True, sources=["tradingview", "198.51.100.0/24"])})
    read = yaml.safe_load(text)
    assert read["version"] == 3
    assert read["agent"] == {
        "authtoken": TOKEN, "web_addr": "127.0.0.1:4040", "console_ui": False, "update_check": False,
    }  # fmt: skip
    endpoint = read["endpoints"][0]
    assert (endpoint["url"], endpoint["upstream"]) == (PLAIN["url"], {"url": "http://127.0.0.1:8000"})
    deny, restrict = endpoint["traffic_policy"]["on_http_request"]
    assert deny["actions"][0]["type"] == "deny"
    assert restrict["actions"][0]["config"]["allow"][-2:] == ["52.32.178.7", "198.51.100.0/24"]
    assert "traffic_policy" not in yaml.safe_load(render("env/ngrok.yml.j2", {"c": config()}))["endpoints"][0]


@needs_systemd
@pytest.mark.parametrize("take_over", [False, True])
def test_the_unit_is_hardened_and_only_with_consent_stops_others(take_over: bool, tmp_path: Path) -> None:
    text = render("systemd/ngrok-tv.service.j2", {"c": config(take_over=take_over)})
    assert ("take-over" in text) is take_over
    (tmp_path / "ngrok-tv.service").write_text(text)
    assert_hardened(tmp_path / "ngrok-tv.service", 2)
