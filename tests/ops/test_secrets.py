"""The encrypted store, with real age: round trips, two runs at once, and everything that can be wrong with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops import paths
from ops.errors import SecretsError
from ops.identity import KEY, KEY_FILE, default_file, find_identity
from ops.secret_edit import rotate_identity
from ops.secrets import Vault, lab_vault, project_vault


def test_the_first_secret_makes_everything_and_says_so(machine: Path) -> None:
    said: list[str] = []
    made = project_vault(said.append).generate("webhook_key", "main")
    assert len(made) >= 43
    assert project_vault().get("webhook_key", "main") == made
    assert project_vault().get("webhook_key") is None
    assert said[0] == "made secret webhook_key for main"
    assert said[1].startswith(f"made this machine's age identity {default_file()}; keep a copy")
    assert said[2] == "added this machine's key to secrets.recipients"
    assert default_file().stat().st_mode & 0o777 == 0o600
    assert default_file().parent.stat().st_mode & 0o777 == 0o700
    assert paths.SECRETS.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in machine.iterdir()) == ["secrets.age", "secrets.recipients"]


def test_generating_twice_gives_the_same_value(machine: Path) -> None:
    assert project_vault().generate("ops_key", "main") == project_vault().generate("ops_key", "main")
    project_vault().set("shared", "for-everyone")
    assert project_vault().generate("shared", "main") == "for-everyone"


def test_a_host_s_own_value_is_preferred(machine: Path) -> None:
    vault = project_vault()
    vault.set("token", "global-value")
    vault.set("token", "main-value", "main")
    assert (vault.get("token", "main"), vault.get("token", "other"), vault.get("token")) == (
        "main-value",
        "global-value",
        "global-value",
    )
    assert vault.scopes("token") == [None, "main"]
    assert vault.names() == ["token"]


def test_what_is_kept_for_a_host_that_is_gone_is_dropped(machine: Path) -> None:
    vault = project_vault()
    vault.set("key", "for all of them")
    vault.set("key", "for this one", "lab")
    vault.forget(["lab", "never-was"])
    assert (vault.get("key", "lab"), vault.scopes("key")) == ("for all of them", [None])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_as_it_was(value: str, machine: Path) -> None:
    project_vault().set("text", value, "main")
    assert project_vault().get("text", "main") == value
    assert len(value) < 4 or value.encode() not in paths.SECRETS.read_bytes()


@pytest.mark.parametrize(("name", "value"), [("Bad-Name", "v"), ("../up", "v"), ("ok", ""), ("ok", "a\0b")])
def test_what_cannot_be_a_secret_is_refused(name: str, value: str, machine: Path) -> None:
    with pytest.raises(SecretsError):
        project_vault().set(name, value)
    assert not paths.SECRETS.exists()


def test_many_threads_lose_nothing(machine: Path) -> None:
    threads = [
        threading.Thread(target=lambda i=i: Vault.open(paths.SECRETS, paths.RECIPIENTS).set(f"name_{i}", f"value-{i}"))
        for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [project_vault().get(f"name_{i}") for i in range(12)] == [f"value-{i}" for i in range(12)]
    assert len(paths.RECIPIENTS.read_text().splitlines()) == 2


def test_two_runs_on_a_new_machine_agree_on_one_value(machine: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ops.secrets import Vault\n"
        "print(Vault.open(Path(sys.argv[1]), Path(sys.argv[2])).generate('webhook_key', 'lab'))"
    )
    command = [sys.executable, "-c", code, str(paths.SECRETS), str(paths.RECIPIENTS)]
    runs = [subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    values = {run.communicate()[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0, 0]
    assert len(values) == 1


def test_a_lab_s_secrets_stay_out_of_the_project(machine: Path) -> None:
    value = lab_vault().generate("webhook_key", "lab")
    assert lab_vault().get("webhook_key", "lab") == value
    assert sorted(p.name for p in machine.iterdir()) == [".lab"]
    assert project_vault().get("webhook_key", "lab") is None


def test_an_identity_others_can_read_is_refused(machine: Path) -> None:
    project_vault().set("token", "a-value")
    default_file().chmod(0o644)
    with pytest.raises(SecretsError, match=r"can be read by others \(mode 0644\)") as caught:
        project_vault().get("token")
    assert caught.value.hint == f"chmod 600 {default_file()}"


def test_a_missing_identity_says_where_it_is_looked_for(machine: Path) -> None:
    project_vault().set("token", "a-value")
    default_file().unlink()
    for attempt in (lambda: project_vault().get("token"), lambda: project_vault().set("other", "x")):
        with pytest.raises(SecretsError) as caught:
            attempt()
        assert f"(looked in {KEY}, {KEY_FILE} and {default_file()})" in caught.value.message
        assert caught.value.hint == (
            f"copy it from the machine that has one: scp OTHER:.config/trading-ops/age.key {default_file()}"
        )
    assert not default_file().exists()


def test_a_key_that_is_no_key_is_refused_without_being_shown(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "AGE-SECRET-KEY-1TYPO")
    with pytest.raises(SecretsError, match="TRADING_OPS_AGE_KEY holds no age identity") as caught:
        find_identity()
    assert "TYPO" not in str(caught.value)


def test_the_key_may_come_from_the_environment(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project_vault().set("token", "a-value")
    key = default_file().read_text()
    default_file().unlink()
    monkeypatch.setenv(KEY, key)
    assert project_vault().get("token") == "a-value"


def other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go on as another machine, whose key this returns."""
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "other" / "age.key"))
    lab_vault().generate("anything", "lab")
    found = find_identity()
    assert found is not None
    return found.public


def test_another_machine_is_let_in_by_its_public_key(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_vault().set("token", "a-value")
    public = other_machine(tmp_path, monkeypatch)
    with pytest.raises(SecretsError) as caught:
        project_vault().get("token")
    assert f"is not encrypted for this machine's identity {public}" in caught.value.message
    assert f"echo {public} >> secrets.recipients && ./inv secrets.init" in str(caught.value.hint)
    paths.RECIPIENTS.write_text(paths.RECIPIENTS.read_text() + f"{public}  # laptop\n")
    monkeypatch.delenv(KEY_FILE)
    project_vault().init()
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "other" / "age.key"))
    assert project_vault().get("token") == "a-value"


def test_nobody_locks_himself_out(machine: Path) -> None:
    project_vault().set("token", "a-value")
    before = paths.SECRETS.read_bytes()
    paths.RECIPIENTS.write_text("# nobody\n")
    with pytest.raises(SecretsError, match="does not list this machine's key"):
        project_vault().set("token", "other")
    assert paths.SECRETS.read_bytes() == before


def test_a_recipient_that_is_no_key_is_named_by_its_line(machine: Path) -> None:
    project_vault().set("token", "a-value")
    paths.RECIPIENTS.write_text(paths.RECIPIENTS.read_text() + "age1nonsense\n")
    with pytest.raises(SecretsError, match=r'secrets.recipients:3: "age1nonsense\.\.\." is not a public key'):
        project_vault().set("token", "other")


@pytest.mark.parametrize("how", ["cut", "flip", "junk", "empty"])
def test_a_damaged_store_is_told_and_never_overwritten(how: str, machine: Path) -> None:
    project_vault().set("token", "a-value")
    whole = paths.SECRETS.read_bytes()
    flipped = whole[:-60] + bytes([whole[-60] ^ 1]) + whole[-59:]
    damaged = {"cut": whole[:-80], "flip": flipped, "junk": b"junk", "empty": b""}[how]
    paths.SECRETS.write_bytes(damaged)
    for attempt in (lambda: project_vault().get("token"), lambda: project_vault().set("token", "other")):
        with pytest.raises(SecretsError, match=r"secrets.age is damaged") as caught:
            attempt()
        assert caught.value.hint == "git checkout -- secrets.age"
    assert paths.SECRETS.read_bytes() == damaged


def test_a_write_that_fails_leaves_the_old_store(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project_vault().set("token", "a-value")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            project_vault().set("token", "other")
    assert project_vault().get("token") == "a-value"
    assert sorted(p.name for p in machine.iterdir()) == ["secrets.age", "secrets.recipients"]


def test_a_new_identity_reads_everything_and_the_old_one_is_kept(machine: Path) -> None:
    project_vault().set("token", "a-value")
    lab_vault().set("token", "lab-value", "lab")
    old = find_identity()
    made, kept = rotate_identity([project_vault(), lab_vault()])
    assert old is not None
    assert made.public != old.public
    assert project_vault().get("token") == "a-value"
    assert lab_vault().get("token", "lab") == "lab-value"
    assert paths.RECIPIENTS.read_text().splitlines()[1:] == [made.public]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert str(old.keys[0]) in kept.read_text()
    assert str(old.keys[0]) not in default_file().read_text()


def test_a_rotation_cut_short_leaves_everything_readable(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project_vault().set("token", "a-value")
    lab_vault().set("token", "lab-value", "lab")

    class Cut(Exception):
        pass

    vaults = [project_vault(), lab_vault()]

    def cut() -> None:
        raise Cut

    for which in (0, 1):
        with monkeypatch.context() as patched:
            patched.setattr(vaults[which], "init", cut)
            with pytest.raises(Cut):
                rotate_identity(vaults)
        assert project_vault().get("token") == "a-value"
        assert lab_vault().get("token", "lab") == "lab-value"
    rotate_identity(vaults)
    assert project_vault().get("token") == "a-value"
    assert lab_vault().get("token", "lab") == "lab-value"


def test_a_lab_whose_identity_is_gone_says_how_to_start_again(machine: Path) -> None:
    lab_vault().generate("webhook_key", "lab")
    default_file().unlink()
    with pytest.raises(SecretsError) as caught:
        lab_vault().get("webhook_key", "lab")
    assert caught.value.hint == f"rm {paths.LAB / 'secrets.age'}; a lab's secrets are made again"
