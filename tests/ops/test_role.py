"""Roles are found by their folder, and a folder that cannot be one is told as such."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops import role
from ops.errors import OpsError
from ops.inventory import Host
from ops.role import Role, discover

GOOD = """
from ops.resources import Directory
from ops.role import Role
from ops.role_config import RoleConfig

class Config(RoleConfig):
    port: int = 1

class Good(Role):
    def resources(self, c, host):
        yield Directory("/srv")
"""


@pytest.fixture
def roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Role]]]:
    """roles(web="text of its role.py") -> what is found"""

    def write(**texts: str) -> dict[str, Role]:
        for name, text in texts.items():
            (tmp_path / "roles" / name).mkdir(parents=True)
            (tmp_path / "roles" / name / "role.py").write_text(text)
        return discover()

    def forget() -> None:
        for name in [name for name in sys.modules if name == "roles" or name.startswith("roles.")]:
            monkeypatch.delitem(sys.modules, name)
        importlib.invalidate_caches()
        discover.cache_clear()

    forget()
    monkeypatch.setattr(role, "ROLES", tmp_path / "roles")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for name in [name for name in sys.modules if name == "roles" or name.startswith("roles.")]:
        del sys.modules[name]
    discover.cache_clear()


def test_a_role_is_its_folder(roles: Callable[..., dict[str, Role]], tmp_path: Path) -> None:
    (tmp_path / "roles" / "no_role_here").mkdir(parents=True)
    found = roles(web=GOOD, base=GOOD)
    assert list(found) == ["base", "web"]
    assert found["web"].config.__name__ == "Config"
    assert [made.key for made in found["web"].resources(None, Host("a", "b"))] == ["directory:/srv"]
    assert (list(found["web"].checks(None)), found["web"].urls(None, "")) == ([], {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\nclass Oops(\n", r"roles/web/role\.py:\d cannot be loaded: SyntaxError: "),
        ("\nimport no_such_module\n", r"roles/web/role\.py:2 cannot be loaded: ModuleNotFoundError: .*no_such_module"),
        ("from ops.resources import Fiel\n", r"roles/web/role\.py:1 cannot be loaded: ImportError: .*Fiel"),
        ("\n\n1 / 0\n", r"roles/web/role\.py:3 cannot be loaded: ZeroDivisionError"),
        ("", "must define one class of Role and one class Config"),
        (
            GOOD.replace("Config(RoleConfig)", "Settings(RoleConfig)"),
            "must define one class of Role and one class Config",
        ),
        (GOOD + "class Second(Role): ...\n", "must define one class of Role"),
        (
            GOOD.replace("def resources", 'after = ("bsae",)\n\n    def resources'),
            'after names "bsae"; roles are base, web',
        ),
    ],
)
def test_a_broken_role_is_told_with_its_file_and_line(
    roles: Callable[..., dict[str, Role]], text: str, words: str
) -> None:
    with pytest.raises(OpsError, match=words):
        roles(base=GOOD, web=text)


def test_a_role_that_says_nothing_is_told_so() -> None:
    with pytest.raises(OpsError, match=r"does not say what a host has: define resources\(\)"):
        Role().resources(None, Host("a", "b"))


def test_our_own_roles_are_found() -> None:
    assert {"base", "perf", "webhook"} <= set(discover())
