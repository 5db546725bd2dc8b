"""A host's log book at a real remote over real SSH: jpt, the timer's sync, another machine, a refused key.

"GitHub" is a user `git` with a bare repository on the host itself, behind the same sshd.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runtime.journal import driver
from runtime.journal.book import parse
from runtime.journal.git import find
from tests.journal.git_kit import Clone
from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, wait_until

pytestmark = pytest.mark.lab

SETTINGS = """
      logbook: {{every: 30}}
      github_ssh:
        repository: git@{address}:notes.git
        host: {address}
        host_keys: ["{host_key}"]
"""
THEIRS = "Host old-nas\n    User ann\n"
ALERT = {"engine": "TV_TEST", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60", "price": 111, "tp": 222, "sl": 0}
HUB = """
useradd --create-home --home-dir /srv/git --shell /usr/bin/git-shell git
git init -q --bare -b main /srv/git/notes.git
install -d -m 700 /srv/git/.ssh
cp /root/.ssh/github_ed25519.pub /srv/git/.ssh/authorized_keys
chown -R git: /srv/git
"""
SYNC = "/opt/trading/venv/bin/python -P -m runtime.journal.sync --json /opt/trading/journal.md"


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor) -> Iterator[Desk]:
    found = desk_for("github")
    found.on("mkdir -p -m 700 /root/.ssh; cat > /root/.ssh/config; chmod 664 /root/.ssh/config", stdin=THEIRS)
    key = " ".join(found.on("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
    roles = INVENTORY.replace("webhook, perf]", "webhook, perf, logbook, github_ssh]")
    found.text = roles + SETTINGS.replace("{address}", found.host.address).replace("{host_key}", key)
    found.describe()
    found.settles()
    found.on("sh -e", stdin=HUB)
    yield found


@pytest.fixture(scope="module")
def laptop(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Another machine with a key of its own."""
    folder: Path = tmp_path_factory.mktemp("laptop")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    desk.on("cat >> /srv/git/.ssh/authorized_keys", stdin=(folder / "key.pub").read_text())
    with pytest.MonkeyPatch.context() as patch:
        known = f"-oUserKnownHostsFile={desk.host.known_hosts} -oHostKeyAlias={desk.host.name}"
        patch.setenv(
            "GIT_SSH_COMMAND", f"ssh -i {folder / 'key'} -oIdentitiesOnly=yes {known} -oStrictHostKeyChecking=no"
        )
        wait_until(lambda: sync(desk)["outcome"] == "synced")
        found = Clone.of(f"git@{desk.host.address}:notes.git", folder / "notes")
        repo = find(found.book)
        assert repo
        driver.install(repo)  # what its first sync would do: from here on, plain git
        yield found


def sync(desk: Desk) -> dict[str, object]:
    said: dict[str, object] = json.loads(desk.on(SYNC, check=False))
    return said


def alert(desk: Desk, reason: str) -> None:
    said = {"key": desk.secret("webhook_key"), "reason": reason, "id": secrets.token_hex(8)}
    answer = httpx.post(f"{desk.url()}/tv", json=ALERT | said)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: f": {reason}\n" in desk.on("cat /opt/trading/journal.md"))


def remote(desk: Desk) -> str:
    """The log book as GitHub would show it."""
    return desk.on("git --git-dir /srv/git/notes.git -c safe.directory='*' show main:journal.md")


def test_the_key_is_the_host_s_own_and_the_person_s_lines_are_left_alone(desk: Desk) -> None:
    assert desk.on("stat -c '%U %a' /root/.ssh/github_ed25519") == "root 600"
    config = desk.on("cat /root/.ssh/config") + "\n"
    assert config.endswith(f"\n\n{THEIRS}")
    assert desk.on("stat -c %a /root/.ssh/config") == "644"
    assert desk.on("ssh -G old-nas | grep ^user").startswith("user ann")
    before = desk.on("sha256sum /root/.ssh/github_ed25519")
    desk.deploy()
    assert desk.on("sha256sum /root/.ssh/github_ed25519") == before


def test_what_the_webhook_wrote_goes_to_the_remote_and_the_file_stays_its_own(desk: Desk, laptop: Clone) -> None:
    alert(desk, "avant")
    desk.on("systemctl start journal-sync.service")
    laptop.git("pull", "-q", "--rebase")
    assert b"avant" in laptop.book.read_bytes()
    laptop.book.write_text(laptop.book.read_text() + "\n## 2026-01-02 09:00 — portable\nun mot\n")
    laptop.git("commit", "-qam", "portable")
    laptop.git("push", "-q")
    assert sync(desk)["outcome"] == "synced"
    assert "portable" in desk.on("cat /opt/trading/journal.md")
    assert desk.on("stat -c '%U:%G %a' /opt/trading/journal.md") == "trading:trading 640"
    alert(desk, "après")
    assert sync(desk)["outcome"] == "synced"
    assert ": après\n" in remote(desk)
    assert desk.on("ls /opt/trading/*.bak", check=False) == ""


def test_jpt_on_the_host_is_at_the_remote_moments_later(desk: Desk, laptop: Clone) -> None:
    paste = "Objectif: brancher le webhook\n```bash\nsystemctl status tv-webhook\n```\nReste à faire: tester demain\n"
    said = desk.on("jpt 'Séance de l’essai' --no-model", stdin=paste)
    assert said
    wait_until(lambda: "Séance de l’essai" in remote(desk))
    alert(desk, "encore")
    assert desk.on("stat -c '%U:%G %a' /opt/trading/journal.md") == "trading:trading 640"
    assert desk.on("stat -c '%a' /opt/trading/journal/inbox") == "700"
    titles = [entry.title for entry in parse(desk.on("cat /opt/trading/journal.md").encode()).entries()]
    assert titles.count("Séance de l’essai") == 1


def test_a_refused_key_is_told_and_what_waits_goes_once_it_is_accepted(desk: Desk, laptop: Clone) -> None:
    desk.on("mv /srv/git/.ssh/authorized_keys /srv/git/.ssh/away")
    alert(desk, "refus")
    told = sync(desk)
    assert told["code"] == "key-refused"
    assert "refuses this machine's SSH key" in str(told["message"])
    asked = desk.inv("github.check", "--host", desk.host.name)
    assert (asked.code, "key-refused" in desk.inv("github.check", "--host", desk.host.name, "--json").out) == (1, True)
    assert desk.on("cat /root/.ssh/github_ed25519.pub") in asked.out
    assert desk.on("cat /root/.ssh/github_ed25519.pub") in desk.inv("github.setup", "--host", desk.host.name).out
    desk.on("mv /srv/git/.ssh/away /srv/git/.ssh/authorized_keys")
    assert sync(desk)["outcome"] == "synced"
    assert ": refus\n" in remote(desk)
    assert desk.inv("github.check", "--host", desk.host.name).code == 0


def test_two_machines_and_the_webhook_at_once(desk: Desk, laptop: Clone) -> None:
    laptop.git("pull", "-q", "--rebase")
    environment = {**os.environ, "PYTHONPATH": str(desk.root)}
    loop = f"for n in 1 2 3 4 5; do {SYNC}; done"
    line = desk.start("lab.ssh", "--name", desk.host.name, "--command", loop, env=environment)
    for number in range(5):
        laptop.book.write_text(laptop.book.read_text() + f"\n## 2026-01-03 09:0{number} — essai {number}\nun mot\n")
        assert laptop.git("commit", "-qam", f"essai {number}") == ""
        alert(desk, f"pendant {number}")
        while laptop.git("push", "-q", check=False):
            laptop.git("pull", "-q", "--rebase")
    line.communicate(timeout=60)
    assert sync(desk)["outcome"] == "synced"
    laptop.git("pull", "-q", "--rebase")
    text = laptop.book.read_text()
    assert text.strip() == desk.on("cat /opt/trading/journal.md")
    for number in range(5):
        assert text.count(f"— essai {number}\n") == text.count(f": pendant {number}\n") == 1


def test_the_unit_can_do_little(desk: Desk) -> None:
    exposure = desk.on("systemd-analyze security --no-pager journal-sync | tail -1").split(": ")[1].split()[0]
    assert float(exposure) <= 2.5
