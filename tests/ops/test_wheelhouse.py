"""What a lock means on a host that is not this machine."""

from __future__ import annotations

import pytest

from ops.errors import ReleaseError
from ops.wheelhouse import Target, merge

HOST = Target("x86_64", "3.11")
A, B = "a" * 64, "b" * 64


def pin(spec: str, *hashes: str, marker: str = "") -> str:
    return (
        " \\\n    ".join([spec + (f" ; {marker}" if marker else ""), *(f"--hash=sha256:{one}" for one in hashes)])
        + "\n"
    )


@pytest.mark.parametrize(
    ("marker", "needed"),
    [
        ("sys_platform == 'win32'", False),
        ("sys_platform == 'linux' and platform_system == 'Linux'", True),
        ("platform_machine == 'aarch64'", False),
        ("platform_machine == 'x86_64' or platform_machine == 'AMD64'", True),
        ("python_version < '3.11'", False),
        ("python_full_version < '3.11.3'", True),  # Debian 12 has 3.11.2, whatever the controller has
        ("python_full_version >= '3.11.4'", False),
        ("platform_python_implementation != 'PyPy'", True),
        ("implementation_name == 'pypy'", False),
        ("os_name == 'nt'", False),
        ("extra == 'dev'", False),
    ],
)
def test_markers_are_those_of_the_host(marker: str, needed: bool) -> None:
    assert ("thing" in merge({"one": pin("thing==1.0", A, marker=marker)}, HOST)) is needed


def test_another_target_needs_other_packages() -> None:
    lock = pin("only-arm==1", A, marker="platform_machine == 'aarch64'")
    lock += pin("old==1", B, marker="python_version < '3.12'")
    assert set(merge({"one": lock}, Target("aarch64", "3.12"))) == {"only-arm"}


def test_no_value_of_this_machine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr("sys.platform", "win32")
    assert merge({"one": pin("thing==1", A, marker="sys_platform == 'linux' and platform_machine == 'x86_64'")}, HOST)


def test_the_same_pin_in_two_locks_is_one() -> None:
    merged = merge({"one": pin("Thing_A==1.0", A, B), "two": "# a comment\n\n" + pin("thing-a==1.0", B, A)}, HOST)
    assert list(merged) == ["thing-a"]
    assert merged["thing-a"].hashes == {A, B}


def test_a_fork_in_one_lock_is_decided_by_its_markers() -> None:
    lock = pin("thing==1", A, marker="python_version < '3.11'") + pin("thing==2", B, marker="python_version >= '3.11'")
    assert merge({"one": lock}, HOST)["thing"].version == "2"


def test_two_versions_name_both_locks() -> None:
    with pytest.raises(ReleaseError, match=r"thing is 1 in locks/one.txt and 2 in locks/two.txt"):
        merge({"one": pin("thing==1", A), "two": pin("thing==2", A)}, HOST)


def test_two_sets_of_hashes_name_both_locks() -> None:
    with pytest.raises(ReleaseError, match=r"thing 1 has other hashes in locks/one.txt than in locks/two.txt"):
        merge({"one": pin("thing==1", A), "two": pin("thing==1", B)}, HOST)


def test_a_conflict_the_host_never_meets_is_none() -> None:
    assert not merge({n: pin(f"thing=={n}", A, marker="sys_platform == 'darwin'") for n in ("1", "2")}, HOST)


@pytest.mark.parametrize("line", ["thing==1", "thing>=1 --hash=sha256:" + A, "--index-url http://x", "-e ."])
def test_a_line_that_locks_nothing_is_refused(line: str) -> None:
    with pytest.raises(ReleaseError, match=r"locks/one.txt: not a pin with hashes"):
        merge({"one": line}, HOST)


@pytest.mark.parametrize(("arch", "python"), [("armv7l", "3.11"), ("x86_64", "3"), ("x86_64", "3.11.2")])
def test_a_host_we_cannot_serve_is_refused(arch: str, python: str) -> None:
    with pytest.raises(ReleaseError, match="no release for"):
        Target(arch, python)


def test_platform_tags_go_from_the_hosts_glibc_down() -> None:
    tags = list(HOST.platforms())
    assert tags[0] == "manylinux_2_36_x86_64"
    assert tags.index("manylinux_2_28_x86_64") < tags.index("manylinux_2_17_x86_64") < tags.index("manylinux1_x86_64")
    assert "manylinux2014_aarch64" in list(Target("aarch64", "3.11").platforms())
    assert "manylinux_2_12_aarch64" not in list(Target("aarch64", "3.11").platforms())
