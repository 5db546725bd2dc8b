"""Who may import whom (docs/architecture.md), read from the sources themselves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.paths import ROOT

PACKAGES = ("ops", "roles", "runtime", "miner", "blockdag", "quant")
MAY_IMPORT = {
    "roles": {"roles", "ops"},
    "ops": {"ops"},
    "runtime": {"runtime"},
    "miner": {"miner", "runtime"},
    "blockdag": {"blockdag", "runtime"},
    "quant": {"quant", "runtime"},
}
HEAVY = ("pydantic", "fabric", "paramiko", "jinja2", "rich", "pyrage")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path, *, top_only: bool = False) -> Iterator[tuple[str, int]]:
    """(absolute module, line) of every import, those inside functions too; relative ones are spelled out."""
    tree = ast.parse(path.read_text())
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def strays(folder: str, allowed: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(folder)
        for module, line in imports(path)
        if module.split(".")[0] in PACKAGES and module.split(".")[0] not in allowed
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_its_arrows_allow(package: str) -> None:
    assert strays(package, MAY_IMPORT[package]) == []


def test_the_arrows_test_sees_an_import_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    inner = tmp_path / "ops" / "deep"
    inner.mkdir(parents=True)
    (inner / "x.py").write_text(
        "from .. import a\ndef f():\n    import runtime.clock\n    from roles.base import role\n"
    )
    assert [module for module, _ in imports(inner / "x.py")] == ["ops.a", "runtime.clock", "roles.base.role"]
    assert len(strays("ops", {"ops"})) == 2


def test_the_agent_imports_the_standard_library_and_itself_by_relative_names() -> None:
    """Its archive has `agent` at the top: an absolute name would not be found on the host."""
    for path in sources("ops/agent"):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names, where
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert str(node.module).split(".")[0] in sys.stdlib_module_names, where
            elif isinstance(node, ast.ImportFrom):
                depth = len(path.relative_to(ROOT / "ops" / "agent").parts)
                assert node.level <= depth, f"{where} reaches out of the agent"


def test_no_role_is_named_in_ops() -> None:
    """Roles are found by their folder: adding one changes nothing in ops."""
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("ops")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"roles\.\w", node.value)
    ]
    assert named == []


def test_tasks_imports_nothing_heavy_at_its_top() -> None:
    top = {module for module, _ in imports(ROOT / "tasks.py", top_only=True)}
    assert {module.split(".")[0] for module in top} <= {"__future__", "typing", "invoke", "ops", "collections"}
    assert {module for module in top if module.startswith("ops")} == {"ops.cli.task"}


def test_the_table_of_contents_loads_nothing_heavy() -> None:
    script = f"""
import sys
from ops.cli import main
code = main(["--list"])
print(code, sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


USES = {
    "datetime.now": {"runtime/clock.py"},
    "datetime.utcnow": set[str](),
    "date.today": set[str](),
    "os.environ": {
        "ops/__init__.py", "ops/bench.py", "ops/identity.py", "ops/lab/shell.py", "ops/machine.py", "ops/paths.py",
        "ops/secret_edit.py", "ops/secrets_tasks.py", "ops/settings.py", "ops/testing.py", "quant/__init__.py",
        "runtime/environ.py",
    },
    "os.getenv": set[str](),
    "print": set[str](),
}  # fmt: skip


def used(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of calls and attributes, as far as they are plain names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            yield f"{node.value.attr}.{node.attr}", node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


@pytest.mark.parametrize("name", USES)
def test_one_way_to_do_each_thing(name: str) -> None:
    """One clock, one place for the environment, one way to the terminal."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in [*sources(*PACKAGES), ROOT / "tasks.py"]
        for word, line in used(path)
        if word == name and str(path.relative_to(ROOT)) not in USES[name]
    ]
    assert found == []
