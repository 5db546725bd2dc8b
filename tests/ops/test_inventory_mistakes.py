"""Each mistake a person can make in the inventory, and the exact line they are told."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.errors import InventoryError
from ops.inventory import Inventory

Read = Callable[[str], Inventory]

GOOD = """\
version: 1
groups:
  trading: [main]
hosts:
  main:
    python: "3.11"
    roles: [base, webhook]
    vars: {timezone: UTC}
    settings:
      webhook:
        port: 8000
        webhook_key: {secret: webhook_key}
        ops_key: {env: OPS_KEY}
  lab:
    like: main
    lab: true
"""
KEYS = "address, arch, host_key, key, lab, like, port, python, roles, settings, user, vars"
SECRET = "hosts.main.settings.webhook.webhook_key"

# what is written instead of what, and the one line that answers it
MISTAKES = {
    "a key that does not exist": (
        "python:",
        "pyhton:",
        f'6 hosts.main.pyhton: "pyhton" is not a key here; keys are {KEYS}; did you mean "python"?',
    ),
    "a top-level key that does not exist": (
        "groups:",
        "group:",
        '2 group: "group" is not a key here; keys are groups, hosts, journal, version; did you mean "groups"?',
    ),
    "a kind of run that the log book does not know": (
        "groups:",
        "journal: {deploy: false}\ngroups:",
        '2 journal.deploy: "deploy" is not a key here; keys are deploys, rollbacks, rotations; did you mean "deploys"?',
    ),
    "a switch that is neither on nor off": (
        "groups:",
        "journal: {deploys: 1}\ngroups:",
        "2 journal.deploys: 1 is not true or false",
    ),
    "a role that does not exist": (
        "[base, webhook]",
        "[base, webhook, webhok]",
        '7 hosts.main.roles[2]: "webhok" is not a role; roles are base, perf, webhook; did you mean "webhook"?',
    ),
    "a role twice": (
        "[base, webhook]",
        "[base, webhook, base]",
        '7 hosts.main.roles[2]: "base" is already in this list; keep one',
    ),
    "no roles": ("    like: main\n", "", "14 hosts.lab: roles is missing; roles are base, perf, webhook"),
    "a host in a group that does not exist": (
        "[main]",
        "[man]",
        '3 groups.trading[0]: "man" is not a host; hosts are main, lab; did you mean "main"?',
    ),
    "a host twice in a group": (
        "[main]",
        "[main, main]",
        '3 groups.trading[1]: "main" is already in this group; keep one',
    ),
    "like a host that does not exist": (
        "like: main",
        "like: mian",
        '15 hosts.lab.like: "mian" is not a host; hosts are main; did you mean "main"?',
    ),
    "like itself": (
        "like: main",
        "like: lab",
        "15 hosts.lab.like: these hosts are like each other in a circle: lab -> lab",
    ),
    "a port too high": (
        "lab: true",
        "port: 70000",
        "16 hosts.lab.port: 70000 is too high; port is 1 to 65535",
    ),
    "a role's port too low": (
        "port: 8000",
        "port: 80",
        "11 hosts.main.settings.webhook.port: 80 is too low; port is 1024 to 65535",
    ),
    "a port that is no number": (
        "port: 8000",
        "port: http",
        '11 hosts.main.settings.webhook.port: "http" is not a whole number; port is 1024 to 65535',
    ),
    "an unquoted version": (
        '"3.11"',
        "3.11",
        '6 hosts.main.python: 3.11 is a number to YAML; quote it: "3.11"',
    ),
    "an unknown architecture": (
        "lab: true",
        "arch: aarch46",
        '16 hosts.lab.arch: "aarch46" is not allowed; allowed: x86_64, aarch64; did you mean "aarch64"?',
    ),
    "another version of the file": ("version: 1", "version: 2", "1 version: 2 is not allowed; allowed: 1"),
    "an address with a space": (
        "lab: true",
        'address: "my host"',
        '16 hosts.lab.address: "my host": an address is a host name, an IP address or a name in ~/.ssh/config, '
        "without spaces",
    ),
    "a host key cut short": (
        "lab: true",
        "host_key: ssh-ed25519 AAAAC3Nz",
        '16 hosts.lab.host_key: "ssh-ed25519 AAAAC3Nz": a host key is its type and its base64, as in '
        '"ssh-ed25519 AAAA..."; see ssh-keyscan HOST',
    ),
    "a host's name with a space": (
        "  lab:",
        "  my lab:",
        '14 hosts."my lab": a name is letters, digits, dots, dashes and _, and begins with a letter or digit',
    ),
    "an address for a lab host": (
        "lab: true",
        "lab: true\n    address: 10.0.0.9",
        "17 hosts.lab.address: the lab decides address for its machines; remove this line",
    ),
    "settings of a role the host does not have": (
        "lab: true",
        "settings: {perf: {port: 8010}}",
        "16 hosts.lab.settings.perf: this host does not have the role perf (roles: base, webhook); add it to roles or "
        "remove these settings",
    ),
    "settings of a role that does not exist": (
        "lab: true",
        "settings: {webhok: {port: 8010}}",
        '16 hosts.lab.settings.webhok: "webhok" is not a role; roles are base, perf, webhook; did you mean "webhook"?',
    ),
    "group settings no host of the group can take": (
        "[main]",
        "{hosts: [main], settings: {perf: {port: 8011}}}",
        "3 groups.trading.settings.perf: no host of this group has the role perf (roles: base, webhook); add it to "
        "roles or remove these settings",
    ),
    "a setting that does not exist": (
        "port: 8000",
        "prot: 8000",
        '11 hosts.main.settings.webhook.prot: "prot" is not a key here; keys are listen, ops_key, port, webhook_key; '
        'did you mean "port"?',
    ),
    "a required setting left out": (
        "    vars: {timezone: UTC}\n",
        "",
        "7 hosts.main.roles: base.timezone is missing; it has no default, so write it under settings.base",
    ),
    "a secret in plain text": (
        "{secret: webhook_key}",
        "hunter2hunter2",
        f"12 {SECRET}: webhook_key is a secret and never stands here in plain text; write {{secret: webhook_key}} and "
        "run ./inv secrets.set webhook_key",
    ),
    "a secret left out": (
        "        webhook_key: {secret: webhook_key}\n",
        "",
        "10 hosts.main.settings.webhook: webhook.webhook_key is missing; it is a secret: write webhook_key: {secret: "
        "webhook_key} and run ./inv secrets.set webhook_key",
    ),
    "a reference misspelt": (
        "{secret: webhook_key}",
        "{secert: webhook_key}",
        f'12 {SECRET}.secert: "secert" is not a key here; keys are secret, env, generate; did you mean "secret"?',
    ),
    "a reference to two places": (
        "{secret: webhook_key}",
        "{secret: webhook_key, env: KEY}",
        f"12 {SECRET}: webhook_key is kept in one place: write either {{secret: webhook_key}} or {{env: WEBHOOK_KEY}}",
    ),
    "a value where a secret's name should be": (
        "{secret: webhook_key}",
        "{secret: Hunter2!}",
        f"12 {SECRET}.secret: a secret's name is lower-case letters, digits and _ (its name, not its value)",
    ),
    "a generated environment variable": (
        "{env: OPS_KEY}",
        "{env: OPS_KEY, generate: true}",
        "13 hosts.main.settings.webhook.ops_key.generate: generate is true or false, and goes with secret only",
    ),
    "a reference where no secret goes": (
        "port: 8000",
        "port: {secret: port}",
        "11 hosts.main.settings.webhook.port: port is not a secret; write its value here",
    ),
    "a reference under a key that does not exist": (
        "ops_key: {env: OPS_KEY}",
        "ops_key: {env: OPS_KEY}\n        opskey: {secret: ops_key}",
        '14 hosts.main.settings.webhook.opskey: "opskey" is not a key here; keys are listen, ops_key, port, '
        'webhook_key; did you mean "ops_key"?',
    ),
    "a secret among the variables": (
        "{timezone: UTC}",
        "{timezone: UTC, token: {secret: token}}",
        "8 hosts.main.vars.token: a secret belongs in a role's settings, not in vars",
    ),
    "a key written twice": (
        "port: 8000",
        "port: 8000\n        port: 8001",
        '12 hosts.main.settings.webhook: "port" is written twice (first on line 11); keep one',
    ),
    "a list where a mapping should be": (
        "    like: main\n    lab: true\n",
        "    - main\n",
        "14 hosts.lab: this must be a mapping (key: value lines)",
    ),
    "YAML's merge key": (
        "lab: true",
        "<<: {lab: true}",
        '16 hosts.lab: "<<" is not used here; a host inherits with like: NAME',
    ),
}


def told(read: Read, text: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read(text)
    return str(caught.value).splitlines()[1:]


def test_the_inventory_before_the_mistakes_is_right(read: Read) -> None:
    assert list(read(GOOD).hosts) == ["main", "lab"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake: str, read: Read) -> None:
    right, wrong, line = MISTAKES[mistake]
    assert right in GOOD
    assert told(read, GOOD.replace(right, wrong, 1)) == [f"inventory.yaml:{line}"]


def test_hosts_like_each_other_in_a_circle(read: Read) -> None:
    text = "version: 1\nhosts:\n  a: {like: b, roles: []}\n  b: {like: c}\n  c: {like: a}\n"
    assert told(read, text)[0] == (
        "inventory.yaml:3 hosts.a.like: these hosts are like each other in a circle: a -> b -> c -> a"
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(read: Read) -> None:
    text = GOOD.replace("[main]", "[man]").replace("port: 8000", "port: 80").replace("lab: true", "arch: vax")
    text = text.replace("{secret: webhook_key}", "hunter2hunter2")
    lines = told(read, text)
    assert [int(line.split(":")[1].split()[0]) for line in lines] == [3, 11, 12, 16]
    assert "hunter2" not in "\n".join(lines)


def test_an_inherited_mistake_is_told_once_where_it_was_written(read: Read) -> None:
    text = textwrap.dedent("""\
        version: 1
        hosts:
          a: {roles: [base], settings: {base: {timezone: UTC, firewall: maybe}}}
          b: {like: a}
          c: {like: b}
        """)
    assert told(read, text) == ['inventory.yaml:3 hosts.a.settings.base.firewall: "maybe" is not true or false']


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1: the file is empty; it needs version: 1 and hosts:"),
        ("version: 1\n", "1 hosts: there are no hosts; write hosts: and one name below it"),
        ("a: [1\nb: 2\n", "2: this is not YAML: did not find expected ',' or ']' (column 2)"),
    ],
)
def test_a_file_that_says_nothing(text: str, line: str, read: Read) -> None:
    assert told(read, text) == [f"inventory.yaml:{line}"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["main", "base"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hosts", "groups", "settings", "roles", "like", "lab", "vars", "webhook", "secret", "env"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hosts=VALUES, groups=VALUES)
def test_nonsense_is_told_and_never_crashes(hosts: object, groups: object, read: Read) -> None:
    import yaml

    text = yaml.safe_dump({"version": 1, "hosts": {"main": hosts}, "groups": groups}, allow_unicode=True)
    try:
        read(text)
    except InventoryError as error:
        assert str(error).splitlines()[0].endswith("in inventory.yaml:")
