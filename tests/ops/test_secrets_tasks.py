"""`./inv secrets.*` as a person and a script use it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ops import paths, secrets_tasks
from ops.errors import SecretsError, UsageError
from ops.role_config import RoleConfig
from ops.secret_edit import MEMORY, edit
from ops.secrets import lab_vault, project_vault
from tests.ops.conftest import PROJECT

Configs = dict[str, type[RoleConfig]]
Pipe = Callable[[str], None]
Out = pytest.CaptureFixture[str]


@pytest.fixture
def project(machine: Path) -> Path:
    paths.INVENTORY.write_text((Path(__file__).parents[2] / "inventory.yaml").read_text())
    return machine


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Feed stdin as a pipe would."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def configs() -> Configs:
    """Those of the project's own inventory, which these tests copy."""
    return PROJECT


@pytest.mark.parametrize("name", ["webhook_key", "ops_key", "perf_token"])
def test_show_prints_just_the_value(name: str, project: Path, configs: Configs, capsys: Out) -> None:
    secrets_tasks.show(name, "lab", configs=configs)
    first = capsys.readouterr().out
    assert first == f"{lab_vault().get(name, 'lab')}\n"
    secrets_tasks.show(name, "lab", configs=configs)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (first, "")


def test_show_follows_an_environment_variable(
    project: Path, configs: Configs, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = paths.INVENTORY.read_text().replace("{secret: ops_key, generate: true}", "{env: OPS_ADMIN_KEY}")
    paths.INVENTORY.write_text(text)
    with pytest.raises(SecretsError, match=r"export OPS_ADMIN_KEY=\.\.\."):
        secrets_tasks.show("ops_key", "lab", configs=configs)
    monkeypatch.setenv("OPS_ADMIN_KEY", "from-the-environment")
    for name in ("ops_key", "OPS_ADMIN_KEY"):
        secrets_tasks.show(name, "lab", configs=configs)
        assert capsys.readouterr().out == "from-the-environment\n"


def test_show_of_nothing_says_what_is_near(project: Path, configs: Configs, pipe: Pipe) -> None:
    with pytest.raises(SecretsError, match='webhok_key is unset for lab; did you mean "webhook_key"'):
        secrets_tasks.show("webhok_key", "lab", configs=configs)
    with pytest.raises(SecretsError, match="no secret ops_key is set for every host"):
        secrets_tasks.show("ops_key", configs=configs)
    with pytest.raises(UsageError, match='did you mean "lab"'):
        secrets_tasks.show("ops_key", "labb", configs=configs)


def test_set_takes_a_piped_value_and_prints_none(project: Path, configs: Configs, pipe: Pipe, capsys: Out) -> None:
    pipe("a piped value\n")
    secrets_tasks.set_("webhook_key", configs=configs)
    pipe("the lab's\n")
    secrets_tasks.set_("webhook_key", "lab", configs=configs)
    pipe("x\n")
    secrets_tasks.set_("webhok_key", configs=configs)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "a piped value" not in shown.err
    assert 'nothing in the inventory refers to webhok_key; did you mean "webhook_key"?' in shown.err
    assert project_vault().get("webhook_key", "admin-trading") == "a piped value"
    assert lab_vault().get("webhook_key", "lab") == "the lab's"


def test_set_at_a_terminal_asks_twice(project: Path, configs: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["one", "two", "same", "same"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    with pytest.raises(UsageError, match="the two entries differ"):
        secrets_tasks.set_("ops_key", configs=configs)
    secrets_tasks.set_("ops_key", configs=configs)
    assert project_vault().get("ops_key") == "same"


def test_set_of_nothing_is_refused(project: Path, configs: Configs, pipe: Pipe) -> None:
    pipe("\n")
    with pytest.raises(SecretsError, match="the value of ops_key is empty"):
        secrets_tasks.set_("ops_key", configs=configs)


def test_list_says_where_and_whether_but_never_what(project: Path, configs: Configs, capsys: Out) -> None:
    project_vault().set("webhook_key", "the-value-itself")
    project_vault().set("spare", "the-spare-itself")
    secrets_tasks.list_(configs=configs)
    shown = capsys.readouterr().out
    assert "itself" not in shown
    lines = [line.split(maxsplit=3) for line in shown.splitlines()]
    assert ["webhook_key", "admin-trading", "webhook.webhook_key", "set"] in lines
    assert ["perf_token", "lab", "perf.token", "made at the first deploy"] in lines
    assert ["spare", "-", "set,", "used nowhere"] in lines


def test_rotate_says_who_must_be_deployed_again(project: Path, configs: Configs, pipe: Pipe, capsys: Out) -> None:
    vault = project_vault()
    vault.set("webhook_key", "old-global")
    vault.set("webhook_key", "old-own", "admin-trading")
    secrets_tasks.rotate("webhook_key", configs=configs)
    assert len({"old-global", "old-own", vault.get("webhook_key"), vault.get("webhook_key", "admin-trading")}) == 4
    assert "used by admin-trading webhook.webhook_key" in capsys.readouterr().err
    pipe("piped-value\n")
    secrets_tasks.rotate("webhook_key", "admin-trading", value_from_stdin=True, configs=configs)
    assert vault.get("webhook_key", "admin-trading") == "piped-value"
    with pytest.raises(SecretsError, match="ops_key has no value to rotate"):
        secrets_tasks.rotate("ops_key", configs=configs)
    with pytest.raises(UsageError):
        secrets_tasks.rotate(configs=configs)


def test_rotating_the_identity_keeps_every_secret(project: Path, configs: Configs, capsys: Out) -> None:
    secrets_tasks.init()
    project_vault().set("webhook_key", "a-value")
    secrets_tasks.rotate(identity=True, configs=configs)
    assert "new identity age1" in capsys.readouterr().err
    assert project_vault().get("webhook_key") == "a-value"


class Editor:
    """Plays the editor: each step changes the text it is shown."""

    def __init__(self, *steps: Callable[[str], str]) -> None:
        self.steps, self.seen = iter(steps), list[str]()

    def __call__(self, command: Sequence[str]) -> int:
        path = Path(command[-1])
        assert path.is_relative_to(MEMORY)
        assert path.parent.stat().st_mode & 0o777 == 0o700
        self.folder = path.parent
        self.seen.append(path.read_text())
        path.write_text(next(self.steps)(self.seen[-1]))
        return 0


@pytest.fixture
def edited(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    project_vault().set("token", "old-token")
    project_vault().set("spare", "spare-value")


def test_edit_changes_adds_and_removes(edited: None) -> None:
    editor = Editor(lambda text: text.replace("old-token", "new-token").replace("spare: spare-value", "added: '123'"))
    assert sorted(edit(project_vault(), lambda _: False, editor)) == ["added", "spare", "token"]
    assert project_vault().read()["global"] == {"token": "new-token", "added": "123"}
    assert not editor.folder.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("token: [", "this is not YAML"),
        ("token: 123", 'the value of token (global) is not text; put it in "quotes"'),
        ("token: a\n  token: b", '"token" is written twice'),
        ("Bad-Name: a", '"Bad-Name" cannot name a secret'),
    ],
)
def test_edit_offers_a_wrong_edit_again(wrong: str, told: str, edited: None) -> None:
    asked: list[str] = []
    editor = Editor(lambda text: text.replace("token: old-token", wrong), lambda text: text.replace(wrong, "token: ok"))
    edit(project_vault(), lambda question: not asked.append(question), editor)
    assert told in asked[0]
    assert wrong in editor.seen[1]
    assert told in editor.seen[1].splitlines()[0]
    assert project_vault().get("token") == "ok"


def test_edit_given_up_changes_nothing_and_leaves_nothing(edited: None) -> None:
    editor = Editor(lambda _: "nonsense")
    with pytest.raises(SecretsError, match="the edit was given up"):
        edit(project_vault(), lambda _: False, editor)
    assert project_vault().get("token") == "old-token"
    assert not editor.folder.exists()


def test_edit_keeps_what_another_run_changed_meanwhile(edited: None) -> None:
    def meanwhile(text: str) -> str:
        project_vault().set("other", "from-another-run")
        return text.replace("old-token", "new-token")

    edit(project_vault(), lambda _: False, Editor(meanwhile))
    assert project_vault().read()["global"] == {
        "token": "new-token",
        "spare": "spare-value",
        "other": "from-another-run",
    }


def test_an_editor_that_is_not_there(edited: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    with pytest.raises(SecretsError, match="the editor no-such-editor --wait is not there"):
        edit(project_vault(), lambda _: False)
