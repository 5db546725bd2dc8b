"""One host's document: its order, its links, and everything that is refused before any connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ops import render
from ops.checks import active, http
from ops.errors import OpsError
from ops.inventory import Host, Mate
from ops.plan import Plan, build, extras, ordered
from ops.release import Bundle, Wheel
from ops.resources import AptPackages, Directory, File, Release, Resource, Symlink, Unit, env_file
from ops.role import Role, discover
from ops.role_config import RoleConfig, Secret

BUNDLE = Bundle(
    "0.1.0-abc", (Wheel("x-1.whl", "a" * 64, 3, Path("x")),), "x==1", Wheel("uv-1.whl", "b" * 64, 9, Path("uv"))
)


class Config(RoleConfig):
    port: int = 8000
    token: Secret = SecretStr("hunter2-hunter2")


def role(*resources: Resource, after: Sequence[str] = (), checks: Sequence[Any] = ()) -> Role:
    class Made(Role):
        def resources(self, c: Any, host: Host) -> Iterable[Resource]:
            return resources

        def checks(self, c: Any) -> Iterable[Any]:
            return checks

    Made.after = tuple(after)
    return Made()


def plan(roles: Mapping[str, Role], bundle: Bundle | None = BUNDLE, **options: Any) -> Plan:
    host = Host("alpha", "10.0.0.1", roles=tuple(roles), vars={"zone": "UTC"})
    return build(host, {name: Config() for name in roles}, roles, bundle, **options)


def keys(found: Plan) -> list[str]:
    return [item["key"] for item in found.document["resources"]]


def want(found: Plan, key: str) -> dict[str, Any]:
    held: dict[str, Any] = next(item["want"] for item in found.document["resources"] if item["key"] == key)
    return held


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterable[Callable[..., None]]:
    """Templates of one's own: templates(unit_j2="...")."""
    monkeypatch.setattr(render, "TEMPLATES", tmp_path / "templates")
    monkeypatch.setattr(render, "CACHE", tmp_path / "cache")
    render._environment.cache_clear()

    def write(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    yield write
    render._environment.cache_clear()


@pytest.fixture
def web(templates: Callable[..., None]) -> Role:
    """A service with its socket, its release and its secret."""
    templates({
        "systemd/web.service.j2": "[Service]\nExecStart=/bin/web {{ c.port }}\n",
        "systemd/web.socket.j2": "[Socket]\nListenStream={{ c.port }}\n",
        "env/web.env.j2": "TOKEN={{ c.token.get_secret_value() }}\n",
    })  # fmt: skip
    release, env = Release("web"), env_file("web", Config(), "/opt/web.env")
    units = (
        Unit("web.socket", Config(), service="web.service"),
        Unit("web.service", Config(), restart_on=(release, env)),
    )
    return role(
        release, env, *units, checks=[active("web.socket"), http("http://[::1]/ready?full=1", unit="web.service")]
    )


def test_resources_come_as_written_and_unit_files_before_the_first_unit(web: Role) -> None:
    assert keys(plan({"web": web})) == [
        "release:/opt/trading", "file:/opt/web.env",
        "unit-file:web.socket", "unit-file:web.service", "unit:web.socket", "unit:web.service",
    ]  # fmt: skip


def test_each_cause_names_the_units_that_follow_it(web: Role) -> None:
    restarts = {item["key"]: item["restarts"] for item in plan({"web": web}).document["resources"] if item["restarts"]}
    assert restarts == {
        "release:/opt/trading": ["web.service"], "file:/opt/web.env": ["web.service"],
        "unit-file:web.socket": ["web.socket"], "unit-file:web.service": ["web.service"],
    }  # fmt: skip


def test_a_units_inputs_change_with_each_of_its_causes_and_with_nothing_else(web: Role) -> None:
    def inputs(bundle: Bundle, *more: Resource) -> str:
        return str(want(plan({"base": role(*more), "web": web}, bundle), "unit:web.service")["inputs"])

    other = Bundle("0.1.0-def", BUNDLE.wheels, BUNDLE.requirements, BUNDLE.installer)
    assert inputs(BUNDLE) == inputs(BUNDLE) == inputs(BUNDLE, Directory("/srv"))
    assert inputs(BUNDLE) != inputs(other)


def test_the_document_is_plain_json_and_says_who_and_why(web: Role) -> None:
    document = plan({"web": web}, why="deploy --role web").document
    assert json.loads(json.dumps(document)) == document
    assert document["version"] == 1
    assert document["facts"] == {"os": "debian 12", "arch": "x86_64", "python": "3.11"}
    assert document["run"]["why"] == "deploy --role web"
    assert "@" in document["run"]["who"]


def test_checks_carry_all_that_the_host_needs_to_ask(web: Role) -> None:
    unit, url = plan({"web": web}).document["checks"]
    assert (unit["role"], unit["kind"], unit["unit"], unit["within"]) == ("web", "unit", "web.socket", 10)
    assert (url["host"], url["port"], url["path"], url["status"]) == ("::1", 80, "/ready?full=1", 200)


def test_a_check_of_https_is_refused() -> None:
    with pytest.raises(OpsError, match="plain http"):
        http("https://127.0.0.1/", unit="x")


def test_secrets_stand_in_secret_files_only(web: Role) -> None:
    items = plan({"web": web}).document
    text = json.dumps([item for item in items["resources"] if not item["want"].get("secret")] + items["checks"])
    assert "hunter2" not in text
    assert want(plan({"web": web}), "file:/opt/web.env") | {"validate": []} == {
        "path": "/opt/web.env", "content": "TOKEN=hunter2-hunter2\n", "owner": "root", "group": "root", "mode": "0600",
        "secret": True, "validate": [],
    }  # fmt: skip


def test_the_releases_of_several_roles_are_one(web: Role) -> None:
    roles = {"web": web, "perf": role(Release("perf"), Directory("/srv"))}
    host = Host("alpha", "10.0.0.1", roles=("web", "perf"))
    assert extras(host, {"web": Config(), "perf": Config()}, roles) == ["perf", "web"]
    made = plan(roles)
    assert keys(made).count("release:/opt/trading") == 1
    assert made.document["needs"] == {"perf": ["release:/opt/trading"]}, "perf stops when web's release fails"
    assert made.release == "0.1.0-abc"


def test_a_release_that_was_not_assembled_is_an_error(web: Role) -> None:
    with pytest.raises(OpsError, match="alpha: its roles need a release"):
        plan({"web": web}, None)


def test_only_keeps_one_role_its_release_and_its_checks(web: Role) -> None:
    perf = role(Release("perf"), Directory("/srv"))
    made = plan({"base": role(Directory("/opt")), "web": web, "perf": perf}, only="perf")
    assert keys(made) == ["release:/opt/trading", "unit:web.service", "directory:/srv"]
    assert made.document["checks"] == []
    assert [check["role"] for check in plan({"perf": perf, "web": web}, only="web").document["checks"]] == [
        "web",
        "web",
    ]


def test_under_only_a_unit_of_another_role_is_restarted_but_never_started(web: Role) -> None:
    roles = {"web": web, "perf": role(Release("perf"))}
    follower = want(plan(roles, only="perf"), "unit:web.service")
    assert (follower["follows"], follower["enabled"]) == (True, None)
    assert follower["inputs"] == want(plan(roles), "unit:web.service")["inputs"]
    assert "follows" not in want(plan(roles), "unit:web.service")


@pytest.mark.parametrize(
    ("one", "two", "both"),
    [
        (Directory("/srv"), Directory("/srv", mode=0o700), "/srv"),
        (File("/srv", content=""), Symlink("/srv", "/data"), "/srv"),
        (AptPackages(("git",)), AptPackages(("git",)), "apt-packages:git"),
    ],
)
def test_what_two_roles_describe_is_refused(one: Resource, two: Resource, both: str) -> None:
    with pytest.raises(OpsError, match=f"alpha: roles base and web both describe {both}"):
        plan({"base": role(one), "web": role(two)})


def test_a_restart_on_something_that_nobody_puts_before_is_refused() -> None:
    late = File("/etc/x", content="")
    unit = Unit("x.service", vendor=True, restart_on=(late,))
    with pytest.raises(OpsError, match=r"unit:x\.service restarts on file:/etc/x, which no role puts before it"):
        plan({"base": role(unit, late)})


def test_roles_come_after_those_they_name() -> None:
    roles = {"c": role(after=("b", "absent")), "b": role(after=("a",)), "a": role(), "d": role()}
    assert ordered(["c", "b", "d", "a"], roles) == ["d", "a", "b", "c"]
    assert ordered(["c", "d"], roles) == ["c", "d"], "a role that this host lacks holds nobody up"


def test_roles_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(OpsError, match=r"the roles a, b each want to come after one another"):
        ordered(["a", "b", "c"], {"a": role(after=("b",)), "b": role(after=("a",)), "c": role()})


def test_templates_get_the_host_and_its_variables(templates: Callable[..., None]) -> None:
    templates({"motd.j2": "{{ host.name }} in {{ vars.zone }}, {{ greeting }}\n"})
    motd = File("/etc/motd", template="motd.j2", context={"greeting": "hello"})
    assert want(plan({"base": role(motd)}), "file:/etc/motd")["content"] == "alpha in UTC, hello\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\n{{ c.prot }}\n", r"templates/x\.j2:2: .*has no attribute 'prot'"),
        ("one\n\n{{ missing }}\n", r"templates/x\.j2:3: 'missing' is undefined"),
        ("{% if %}\n", r"templates/x\.j2:1: "),
        ("\n{{ c.token }}\n", r"templates/x\.j2:2: a secret would be written as stars"),
    ],
)
def test_a_template_that_cannot_be_rendered_says_where(templates: Callable[..., None], text: str, words: str) -> None:
    templates({"x.j2": text})
    with pytest.raises(OpsError, match=words):
        plan({"base": role(File("/etc/x", template="x.j2", context={"c": Config()}))})


def test_a_template_that_is_not_there_is_named(templates: Callable[..., None]) -> None:
    with pytest.raises(OpsError, match=r"templates/systemd/gone\.service\.j2"):
        plan({"base": role(Unit("gone.service", Config()))})


REQUIRED: dict[str, Any] = {
    "blockdag": {"address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
    "docker": {"source": "debian"},
    "github_ssh": {"repository": "git@github.com:ann/notes.git"},
    "miner": {"pools": [{"url": "stratum+tcp://pool.example.org:3333", "user": "1Address.rig"}]},
    "telegram": {"chat_id": 42, "bot_token": "123456789:hunter2-of-a-bot", "ops_key": "hunter2-optional"},
    "tunnel": {"url": "https://name.ngrok-free.dev", "binary": "/usr/bin/ngrok", "ops_key": "hunter2-of-ops"},
}
"""What a role cannot do without beside its secrets, and secrets of a certain form."""


def test_every_role_of_ours_keeps_its_secrets_in_secret_files() -> None:
    """The real roles and templates, with values that are nowhere else."""
    roles, values = discover(), iter(f"hunter2-{n:04}-secret" for n in range(100))
    made: dict[str, RoleConfig] = {}
    for name, found in roles.items():
        fields = found.config.model_fields
        secrets = {field: next(values) for field, info in fields.items() if info.annotation is SecretStr}
        made[name] = found.config.model_validate(secrets | REQUIRED.get(name, {}))
    mates = {"compute": (Mate("alpha", "10.0.0.1"),)}
    host = Host("alpha", "10.0.0.1", roles=tuple(roles), mates=mates)
    resources = build(host, made, roles, BUNDLE).document["resources"]
    holding = [item for item in resources if "hunter2-" in json.dumps(item)]
    assert holding, "the roles have secrets"
    assert all(item["want"]["secret"] and item["want"]["mode"] == "0600" for item in holding)
