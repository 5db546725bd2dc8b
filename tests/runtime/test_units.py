"""The unit and env templates: complete, accepted by systemd, and tight enough."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import SecretStr, ValidationError

from ops.fields import database_address
from roles.perf.role import Config as PerfConfig
from roles.webhook.guards import Guard, Preset, RulesConfig
from roles.webhook.role import Config, Webhook
from runtime import clock, engines, settings
from runtime.router import guards_config
from runtime.router.presets import shipped
from tests.unit_kit import assert_hardened, needs_systemd

TEMPLATES = Path(__file__).parents[2] / "templates"
SECRET = 'a"b\\c$d`e é#;'
CONFIG = SimpleNamespace(
    listen="0.0.0.0",  # noqa: S104 - a unit's text
    port=8000,
    webhook_key=SecretStr(SECRET),
    ops_key=SecretStr("ops-key"),
    token=SecretStr(SECRET),
    timezone="America/Montreal",
    language="en",
    equity0=10_000.0,
    reversal="keep",
    opposite="close",
    lock_expiry=0.0,
    dedupe=30.0,
    perf_url="http://127.0.0.1:8010",
    engines={},
    guards=None,
    keys={},
    events_jsonl="/opt/trading/logs/events.jsonl",
    events_max_mb=64,
    events_keep=10,
    database_url=None,
    database_address=None,
    log_format="text",
    min_free_mb=200.0,
    max_lag=300.0,
    retention_days=0.0,
    tunnel_allows="alerts",
    tunnel_sources=("tradingview", "198.51.100.0/24"),
)


def render(name: str, **changes: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - unit files, not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(c=SimpleNamespace(**{**vars(CONFIG), **changes}))


@pytest.mark.parametrize(
    "url", [None, "postgresql:///trading?host=/run/postgresql", "postgresql://a:b@10.0.0.7/trading"]
)
@pytest.mark.parametrize("unit", ["tv-webhook", "tv-outbox", "perf"])
@needs_systemd
def test_the_service_is_hardened(unit: str, url: str | None, tmp_path: Path) -> None:
    path, secret = tmp_path / f"{unit}.service", SecretStr(url) if url else None
    text = render(f"systemd/{unit}.service.j2", database_url=secret, database_address=database_address(secret))
    path.write_text(text)
    assert ("IPAddressAllow=10.0.0.7\n" in text) == (url is not None and "10.0.0.7" in url)
    assert ("PrivateNetwork=true" in text) == (unit == "perf" and "IPAddressAllow" not in text)
    assert_hardened(path, 1.5)


@pytest.mark.parametrize("unit", ["tv-webhook", "perf"])
@pytest.mark.parametrize(
    ("listen", "expected"), [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000"), ("::", "[::]:8000")]
)
def test_the_socket_listens_where_it_is_told(unit: str, listen: str, expected: str) -> None:
    assert f"ListenStream={expected}\n" in render(f"systemd/{unit}.socket.j2", listen=listen)


@pytest.mark.parametrize(("name", "variable"), [("webhook", "TV_WEBHOOK_KEY"), ("perf", "PERF_TOKEN")])
def test_a_secret_survives_systemds_quoting(name: str, variable: str) -> None:
    lines = dict(line.split("=", 1) for line in render(f"env/{name}.env.j2").splitlines() if not line.startswith("#"))
    assert lines[variable] == '"a\\"b\\\\c\\$d\\`e é#;"'


def told(**given: Any) -> tuple[dict[str, str], list[Any]]:
    """The environment and the resources of a host whose inventory says `given`."""
    config = Config.model_validate({"webhook_key": "k" * 12, "ops_key": "o" * 12, **given})
    text = render("env/webhook.env.j2", **{name: getattr(config, name) for name in (*Config.model_fields, "keys_json")})
    env = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return env, list(Webhook().resources(config, None))  # type: ignore[arg-type]


def test_the_inventorys_engines_are_what_the_service_reads(tmp_path: Path) -> None:
    mine = {"equity": 50_000, "risk_pct": 0.5, "qty_step": 0.01, "direction": "both"}
    given = {"EURUSD_FTMO": mine, "GOLD_CFD_LONG": {"max_leverage": None}}
    env, resources = told(engines=given, opposite="reject", lock_expiry=60)
    (file,) = [one for one in resources if getattr(one, "path", "") == env["ENGINES_PATH"]]
    (tmp_path / "engines.json").write_text(file.content)
    found = settings.webhook(env | {"ENGINES_PATH": str(tmp_path / "engines.json")})
    assert (found.opposite, found.lock_expiry, found.dedupe_seconds) == ("reject", 60, 30)
    gold, ftmo = found.engines.get("GOLD_CFD_LONG"), found.engines.get("EURUSD_FTMO")
    assert gold.account
    assert (gold.direction, gold.account.equity, gold.account.max_leverage) == ("long", 1500, None)
    assert ftmo.account
    assert ftmo.account.risk_pct == 0.5
    assert file in next(one for one in resources if getattr(one, "unit", "") == "tv-webhook.service").restart_on


def test_without_engines_in_the_inventory_the_hosts_own_file_counts(tmp_path: Path) -> None:
    env, resources = told()
    assert "ENGINES_PATH" not in env
    assert not [one for one in resources if getattr(one, "path", "").endswith("engines.json")]
    assert engines.read({}) == settings.webhook(env | {"ENGINES_PATH": str(tmp_path / "none.json")}).engines


GUARDS = {
    "mode": "warn",
    "account": {"max_trades_day": 5, "sessions": [{"days": "mon-fri", "from": "08:00", "to": "17:00"}]},
    "engines": {
        "GOLD_CFD_LONG": {
            "preset": "xauusd-v2.1",
            "checklist": None,
            "news": {"before_min": 15, "windows": [{"what": "FOMC", "at": "2026-03-18 14:00"}]},
            "modes": {"max_drawdown_pct": "enforce"},
        }
    },
}


def test_the_inventorys_guards_are_what_the_service_reads(tmp_path: Path) -> None:
    env, resources = told(guards=GUARDS)
    (file,) = [one for one in resources if getattr(one, "path", "") == env["GUARDS_PATH"]]
    (tmp_path / "guards.json").write_text(file.content)
    paths = {"GUARDS_PATH": str(tmp_path / "guards.json"), "ENGINES_PATH": str(tmp_path / "none.json")}
    found = settings.webhook(env | paths).engines
    assert found == engines.read({"guards": GUARDS})
    gold = found.guards.engines["GOLD_CFD_LONG"]
    assert (gold.max_drawdown_pct, gold.checklist, gold.mode, gold.news[0].before) == (5, (), "warn", 15)
    assert file in next(one for one in resources if getattr(one, "unit", "") == "tv-webhook.service").restart_on


@pytest.mark.parametrize(
    ("guards", "field"),
    [({"account": {"max_trade_day": 3}}, "guards.account.max_trade_day"), ({"mode": "off"}, "guards.mode"),
     ({"preset": "xauusd"}, "guards.preset"), ({"account": {"modes": {"newz": "warn"}}}, "guards.account.modes"),
     ({"account": {"sessions": [{"from": "8", "to": "17:00"}]}}, "guards.account.sessions.0.from")],
)  # fmt: skip
def test_a_mistake_in_the_guards_is_told_before_anything_connects(guards: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        told(guards=guards)
    assert any(".".join(map(str, error["loc"])).startswith(field) for error in caught.value.errors())


def test_the_inventory_may_write_every_guard_that_the_service_knows() -> None:
    known = {field.alias or name for name, field in RulesConfig.model_fields.items()}
    assert known == guards_config.SCOPE
    assert set(get_args(Guard)) == guards_config.GUARDS
    assert set(get_args(Preset)) == set(shipped())


def test_times_need_no_quotes_in_yaml() -> None:
    text = "{sessions: [{from: 08:00, to: 17:00}], day_start: 17:30, news: {windows: [{day: fri, at: 13:30, %s}]}}"
    _, resources = told(guards={"account": yaml.safe_load(text % "after_min: 5")})
    (file,) = [one for one in resources if getattr(one, "path", "").endswith("guards.json")]
    account = engines.read(json.loads(file.content)).guards.account
    assert account is not None
    assert (str(account.sessions[0])[:21], account.calendar.start.hour) == ("every day 08:00-17:00", 17)
    assert str(account.news[0]).startswith("news fri 13:30 ")


def test_a_file_of_guards_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    env, _ = told(guards={"preset": "ftmo"})
    with pytest.raises(settings.SettingsError, match=r"^GUARDS_PATH: .*absent\.json"):
        settings.webhook(env | {"GUARDS_PATH": str(tmp_path / "absent.json")})


def test_more_keys_reach_the_service_whatever_stands_in_them() -> None:
    """systemd.exec(5): inside double quotes, a backslash before a quote, backslash, dollar or backtick goes away."""
    given = {"tv-2026": {"key": SECRET + "\nx", "expires": "2026-12-31T00:00:00Z"}, "b": {"key": "another key of it"}}
    env, _ = told(keys=given)
    text = env["TV_WEBHOOK_KEYS"]
    assert text.isascii()
    env["TV_WEBHOOK_KEYS"] = re.sub(r'\\(["\\$`])', r"\1", text.removeprefix('"').removesuffix('"'))
    found = {key.name: (key.secret.reveal(), key.expires) for key in settings.webhook(env).keys}
    assert found["tv-2026"] == (SECRET + "\nx", clock.from_iso("2026-12-31T00:00:00+00:00"))
    assert found["b"] == ("another key of it", None)
    assert "TV_WEBHOOK_KEYS" not in told()[0]


@pytest.mark.parametrize("name", ["default", "", "a b", "x" * 33])
def test_a_keys_name_is_checked_before_it_is_deployed(name: str) -> None:
    with pytest.raises(ValidationError):
        told(keys={name: {"key": "long enough a key"}})


@pytest.mark.parametrize(
    ("url", "address"),
    [("postgresql://t:p%40ss%2F@127.0.0.1:5433/trading", "127.0.0.1"), ("postgresql://t:p@localhost/t", "127.0.0.1"),
     ("postgresql://t:p@[fd00::7]/t?sslmode=require", "fd00::7"), ("postgresql:///t?host=/run/postgresql", None)],
)  # fmt: skip
def test_a_databases_url_reaches_the_service(url: str, address: str | None) -> None:
    env, _ = told(database_url=url)
    assert env["STORE_URL"] == f'"{url}"'
    config = PerfConfig.model_validate({"token": "t" * 12, "database_url": url})
    assert config.database_address == address
    assert f'PERF_STORE_URL="{url}"' in render("env/perf.env.j2", database_url=config.database_url)
    place = settings.store_place("perf", {"PERF_STORE_URL": url})
    assert "p%40ss" not in str(place)


@pytest.mark.parametrize(
    "url", ["", "postgresql://t:hidden@db.example.org/t", "mysql://t:hidden@10.0.0.7/t", "postgresql://t:hidden@10.0.0.7/",
            "postgresql://t:hidden@10.0.0.7/t\nX=1", "postgresql:///t", "postgresql://t:hidden@["],
)  # fmt: skip
def test_a_database_that_the_unit_could_not_reach_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PerfConfig.model_validate({"token": "t" * 12, "database_url": url})
    assert "expected postgresql://" in str(raised.value)
    assert "hidden" not in str(raised.value)
