"""The lab's network: one bridge on this machine, one address for each host.

machine 10.77.0.1 (opslab0) --+-- veth -- network namespace ID: eth0 10.77.0.10
                              +-- veth -- network namespace ID: eth0 10.77.0.11
                              +-- tap --- virtual machine: eth0 10.77.0.12
"""

from __future__ import annotations

import hashlib
import ipaddress
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from ops.errors import LabError
from ops.lab.shell import PATH, run, succeeds

BRIDGE = "opslab0"
GATEWAY = "10.77.0.1"
SUBNET = "10.77.0.0/24"
ADDRESSES = [f"10.77.0.{last}" for last in range(10, 251)]
NAMESPACES = Path("/run/netns")
TUN = Path("/dev/net/tun")
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
FORWARD_WAS_OFF = Path("/run/trading-ops-lab/forwarding-was-off")

TABLE = f"""
table ip {BRIDGE}
delete table ip {BRIDGE}
table ip {BRIDGE} {{
  chain out {{
    type nat hook postrouting priority srcnat;
    ip saddr {SUBNET} oifname != "{BRIDGE}" masquerade
  }}
}}
"""


def prepare() -> None:
    """The bridge, forwarding and address translation; changes nothing that is right already."""
    _not_taken()
    if not _there(BRIDGE):
        # A bridge without a fixed MAC takes its smallest port's, and changes it whenever a host comes or goes.
        run(["ip", "link", "add", BRIDGE, "address", mac(GATEWAY), "type", "bridge"], what="making the lab's bridge")
    run(["ip", "-batch", "-"], stdin=f"addr replace {GATEWAY}/24 dev {BRIDGE}\nlink set {BRIDGE} up\n")
    if FORWARD.read_text().strip() == "0":
        FORWARD_WAS_OFF.parent.mkdir(exist_ok=True)
        FORWARD_WAS_OFF.touch()
        FORWARD.write_text("1")
    run(["nft", "-f", "-"], stdin=TABLE, what="the lab's nftables rule")
    for rule in _accept_rules():
        if not succeeds(["iptables", "-C", *rule]):
            run(["iptables", "-I", *rule])


def _not_taken() -> None:
    """Refuses where this machine's own network has the lab's addresses: it would be cut off from it."""
    for line in run(["ip", "-4", "-brief", "address", "show"]).splitlines():
        interface, _, *addresses = line.split()
        for address in addresses:
            network = ipaddress.ip_interface(address).network
            if interface != BRIDGE and network.prefixlen <= 24 and network.overlaps(ipaddress.ip_network(SUBNET)):
                raise LabError(
                    f"the lab's network {SUBNET} is within this machine's own ({interface}: {address})",
                    hint="run the lab on another machine, or change the addresses in ops/lab/net.py",
                )


def remove() -> None:
    """Takes away everything that prepare() made."""
    for rule in _accept_rules(always=True):
        if succeeds(["iptables", "-C", *rule]):
            run(["iptables", "-D", *rule])
    succeeds(["nft", "delete", "table", "ip", BRIDGE])
    if _there(BRIDGE):
        run(["ip", "link", "del", BRIDGE])
    if FORWARD_WAS_OFF.exists():
        FORWARD.write_text("0")
        FORWARD_WAS_OFF.unlink()


def _accept_rules(*, always: bool = False) -> Iterator[list[str]]:
    """Rules for a machine whose own firewall drops by default, as Docker and ufw set it for forwarding.

    A packet must be accepted by every chain on its way, so an accept in a table of ours would not help; the rule has to
    stand in the chain that drops.
    """
    if not shutil.which("iptables", path=PATH):
        return
    for chain, sides in (("INPUT", ["-i"]), ("FORWARD", ["-i", "-o"])):
        if always or _drops(chain):
            for side in sides:
                yield [chain, side, BRIDGE, "-m", "comment", "--comment", "trading-ops lab", "-j", "ACCEPT"]


def _drops(chain: str) -> bool:
    try:
        return not run(["iptables", "-S", chain]).startswith(f"-P {chain} ACCEPT")
    except LabError:
        return False


def connect(machine: str, address: str) -> None:
    """A fresh namespace for a host that is not running: what an interrupted run left of it is removed first."""
    disconnect(machine)
    run(["ip", "netns", "add", machine], what=f"the network namespace {machine}")
    veth = link(machine)
    outside = f"link add {veth} type veth peer name eth0 netns {machine}\nlink set {veth} master {BRIDGE} up\n"
    run(["ip", "-batch", "-"], stdin=outside, what=f"the link of {machine}")
    # The MAC follows from the address, so that a new host with an old one's address is not looked for at its MAC.
    inside = (
        f"link set eth0 address {mac(address)}\naddr add {address}/24 dev eth0\n"
        f"link set lo up\nlink set eth0 up\nroute add default via {GATEWAY}\n"
    )
    run(["ip", "-n", machine, "-batch", "-"], stdin=inside, what=f"the address of {machine}")


def connect_tap(machine: str) -> str:
    """A fresh tap on the bridge for a virtual machine that is not running; returns its name."""
    if not TUN.exists():
        raise LabError(f"this machine has no {TUN}, which a virtual machine's network needs", hint="modprobe tun")
    disconnect(machine)
    tap = link(machine)
    made = f"tuntap add dev {tap} mode tap\nlink set {tap} master {BRIDGE} up\n"
    run(["ip", "-batch", "-"], stdin=made, what=f"the link of {machine}")
    return tap


def disconnect(machine: str) -> None:
    """Removes the host's link and namespace, if there are any."""
    if _there(link(machine)):
        run(["ip", "link", "del", link(machine)])
    place = NAMESPACES / machine
    if place.exists():
        # Killed between its two steps, `ip netns add` leaves a plain file, which `del` removes but complains about.
        succeeds(["ip", "netns", "del", machine])
        place.unlink(missing_ok=True)


def _there(interface: str) -> bool:
    try:
        socket.if_nametoindex(interface)
    except OSError:
        return False
    return True


def link(machine: str) -> str:
    """What a host's end on the bridge is called."""
    return f"olab{hashlib.sha256(machine.encode()).hexdigest()[:9]}"  # 15 characters at most (IFNAMSIZ)


def mac(address: str) -> str:
    """A MAC that follows from the address."""
    return "02:0b:" + ":".join(f"{int(part):02x}" for part in address.split("."))
