"""The privileged half of the lab: makes, boots, repairs and removes hosts as root.

`python -m ops.lab.root` is what `sudo -n` runs for everyone else: one JSON request on stdin, JSON lines on stdout:
{"say": text} while it works, then {"done": result} or {"error": text, "hint": text or null}.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ops import machine as controller
from ops.errors import LabError, OpsError
from ops.lab import limits, net, process, tree, vm, vm_image
from ops.lab.host import Files, LabHost, machine_id, started_at
from ops.lab.image import image
from ops.lab.shell import locked, run
from ops.paths import LAB, ROOT

Say = Callable[[str], None]
HOSTS = Path("/var/lib/trading-ops-lab")
LOCKS = Path("/run/trading-ops-lab")
KINDS = {"container": "container", "vm": "machine with a kernel of its own"}
NEEDS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}


def exists(name: str) -> bool:
    """Whether there is anything of that host, running or not. Needs no privileges."""
    return (HOSTS / machine_id(name)).exists() or Files(name).folder.exists()


def refusal() -> str | None:
    """Why this machine cannot run a lab at all; None if it can be tried."""
    if platform.system() != "Linux":
        return f"lab hosts are Linux containers, and this machine runs {platform.system()}"
    if controller.as_root() is None:
        return "making a lab host needs root, and `sudo -n` is refused or not installed"
    if controller.missing(NEEDS) and not shutil.which("apt-get"):
        return f"it lacks {', '.join(controller.missing(NEEDS))}, and has no apt-get to install them with"
    return None


def call(do: str, name: str, say: Say) -> object:
    """Runs `up`, `down` or `down_all` as root, here or through sudo."""
    reason = refusal()
    if reason:
        hint = f"run ./inv lab.{do.replace('_', ' --')} as root, or allow this user `sudo -n`"
        raise LabError(reason, hint=hint if "sudo" in reason else None)
    if os.geteuid() == 0:
        return DO[do](name, (0, 0), say)
    return _through_sudo({"do": do, "name": name, "owner": [os.getuid(), os.getgid()]}, say)


def _through_sudo(request: dict[str, object], say: Say) -> object:
    command = ["sudo", "-n", sys.executable, "-m", "ops.lab.root"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin and child.stdout  # noqa: S101  (pipes were asked for)
        child.stdin.write(json.dumps(request))
        child.stdin.close()
        for line in child.stdout:
            answer = json.loads(line)
            if "say" in answer:
                say(answer["say"])
            elif "error" in answer:
                raise LabError(answer["error"], hint=answer["hint"])
            else:
                return answer["done"]
    raise LabError("the lab's privileged half ended without an answer", hint="its last words are above")


def _up(name: str, owner: tuple[int, int], say: Say) -> object:
    return _bring_up(name, owner, say, kind="container")


def _up_vm(name: str, owner: tuple[int, int], say: Say) -> object:
    vm_image.kernel_package()
    controller.require(vm.NEEDS, why="a lab host with its own kernel", say=say, error=LabError)
    return _bring_up(name, owner, say, kind="vm")


def _bring_up(name: str, owner: tuple[int, int], say: Say, kind: str) -> bool:
    controller.require(NEEDS, why="a lab host", say=say, error=LabError)
    machine = machine_id(name)
    state = HOSTS / machine
    with locked(LOCKS / f"{machine}.lock"):
        record = _register(name, state, say, kind)
        address = record["address"]
        if not (state / "upper").is_dir():
            say(f"making {name}")
            tree.make(name, state)
        up = _up_machine if record.get("kind") == "vm" else _up_container
        word = up(name, machine, state, record, owner, say)
        if word != "running":
            say(f"{name} is up, but systemd calls it {word}: ./inv lab.ssh --command 'systemctl --failed'")
        _publish(name, machine, state, address, owner)
    return True


def _up_container(
    name: str, machine: str, state: Path, record: dict[str, str], owner: tuple[int, int], say: Say
) -> str:
    address = record["address"]
    tree.mount(state, Path(record["image"]))
    _client_files(name, state / "tree", address, owner)
    if process.running(machine, state) is None:
        say(f"booting {name} ({address})")
        _boot(machine, state, name, address)
    return process.wait(machine, state, address)


def _up_machine(name: str, machine: str, state: Path, record: dict[str, str], owner: tuple[int, int], say: Say) -> str:
    address, files = record["address"], vm_image.Machine(Path(record["image"]))
    (state / "upper/root").mkdir(exist_ok=True)
    _client_files(name, state / "upper", address, owner)
    vm.make_disk(state, files)
    if process.running(machine, state) is None:
        say(f"booting {name} ({address}), which takes an emulated processor a minute or more")
        process.stop(machine, state)
        with locked(LOCKS / "net.lock"):
            net.prepare()
            limits.prepare()
            vm.start(machine, state, files, address)
    mine = Files(name)
    return vm.wait(machine, state, LabHost(name, address, 22, "root", mine.key, mine.known_hosts, state / "tree"))


def _register(name: str, state: Path, say: Say, kind: str) -> dict[str, str]:
    """The host's address, kind and image, settled when it is first asked for and kept for its life."""
    record = state / "host.json"
    if not record.exists():
        base = vm_image.machine(say).folder if kind == "vm" else image(say)
        # Addresses are given out machine-wide, whichever checkout asks.
        with locked(LOCKS / "net.lock"):
            state.mkdir(parents=True, exist_ok=True)
            HOSTS.chmod(0o711)
            state.chmod(0o700)
            about = {"name": name, "root": str(ROOT), "address": _free_address(), "image": str(base), "kind": kind}
            _write(record, json.dumps(about))
    found = {str(key): str(value) for key, value in json.loads(record.read_text()).items()}
    if found.get("kind", "container") != kind:
        raise LabError(
            f"lab host {name} is there already, as a {KINDS[found.get('kind', 'container')]}",
            hint=f"./inv lab.down --name {name} first, or choose another name",
        )
    return found


def _free_address() -> str:
    taken = {json.loads(path.read_text())["address"] for path in HOSTS.glob("*/host.json")}
    for address in net.ADDRESSES:
        if address not in taken:
            return address
    raise LabError("every address of the lab's network is taken", hint="./inv lab.down --all")


def _client_files(name: str, root: Path, address: str, owner: tuple[int, int]) -> None:
    """Our key, let in by the host, and the host's own public keys: made here, so they need not be taken on trust.

    `root`: the host's root directory, or the part of it that is its own.
    """
    files = Files(name)
    files.folder.mkdir(parents=True, exist_ok=True)
    if not files.key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {name}", "-f", files.key])
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    _write(ssh / "authorized_keys", files.key.with_suffix(".pub").read_text())
    public = sorted((root / "etc/ssh").glob("ssh_host_*_key.pub"))
    _write(files.known_hosts, "".join(f"{address} {' '.join(path.read_text().split()[:2])}\n" for path in public))
    _hand_over(files.folder, owner)


def _hand_over(folder: Path, owner: tuple[int, int]) -> None:
    for path in (LAB, folder, *folder.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, *owner)


def _boot(machine: str, state: Path, name: str, address: str) -> None:
    process.stop(machine, state)
    with locked(LOCKS / "net.lock"):
        net.prepare()
        limits.prepare()
        net.connect(machine, address)
    process.start(machine, state / "tree", name)


def _publish(name: str, machine: str, state: Path, address: str, owner: tuple[int, int]) -> None:
    pid = process.running(machine, state)
    if pid is None:
        raise LabError(f"lab host {name} stopped right after it had booted", hint=f"its log: {state / 'boot.log'}")
    record = {"address": address, "tree": str(state / "tree"), "pid": pid, "started": started_at(pid)}
    _write(Files(name).state, json.dumps(record))
    _hand_over(Files(name).folder, owner)


def _write(path: Path, text: str) -> None:
    """0600, and whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.touch(0o600)
    new.write_text(text)
    new.rename(path)


def _down(name: str, owner: tuple[int, int], say: Say) -> object:
    return _remove(machine_id(name), Files(name).folder, say)


def _remove(machine: str, folder: Path, say: Say) -> bool:
    state = HOSTS / machine
    lock = LOCKS / f"{machine}.lock"
    with locked(lock):
        there = state.exists() or folder.exists()
        if there:
            say(f"removing {machine}")
        if state.exists():
            process.stop(machine, state)
        with locked(LOCKS / "net.lock"):
            net.disconnect(machine)
            tree.remove(state)
            _last_one_out()
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
    for shared in (LAB, LOCKS):
        _rmdir(shared)
    return there


def _last_one_out() -> None:
    if not any(HOSTS.glob("*/host.json")):
        net.remove()
        limits.remove()
        _rmdir(HOSTS)
        (LOCKS / "net.lock").unlink(missing_ok=True)


def _rmdir(folder: Path) -> None:
    with suppress(OSError):  # it is not there, or something else is in it
        folder.rmdir()


def _down_all(_name: str, _owner: tuple[int, int], say: Say) -> object:
    """This checkout's hosts, and those of checkouts that are gone: no one else could remove them."""
    for record in sorted(HOSTS.glob("*/host.json")):
        host = json.loads(record.read_text())
        if host["root"] == str(ROOT) or not Path(host["root"]).exists():
            _remove(record.parent.name, Path(host["root"]) / ".lab" / host["name"], say)
    for folder in sorted(path for path in LAB.glob("*") if path.is_dir()):
        _remove(machine_id(folder.name), folder, say)
    return True


DO: dict[str, Callable[[str, tuple[int, int], Say], object]] = {
    "up": _up,
    "up_vm": _up_vm,
    "down": _down,
    "down_all": _down_all,
}


def _answer(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    request = json.load(sys.stdin)
    uid, gid = request["owner"]
    try:
        done = DO[request["do"]](request["name"], (int(uid), int(gid)), lambda text: _answer({"say": text}))
        _answer({"done": done})
    except OpsError as error:
        _answer({"error": error.message, "hint": error.hint})


if __name__ == "__main__":
    main()
