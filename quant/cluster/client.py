"""A way to a scheduler, and the certainty that its workers run the same code as this program."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from quant.compiled import code_version
from quant.errors import ClusterFailed, UsageError

SOON = 5.0
"""Seconds in which a scheduler answers, or there is none."""
GREETING = 1 << 20
"""Bytes, many times what a greeting has."""
DEPLOY = "./inv quant.cluster --group GROUP brings this checkout's code to all of them"


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A `distributed.Client` of its own. Raises UsageError for what is no address, ClusterFailed within seconds."""
    place = checked(scheduler)
    _knock(place)
    import dask
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    warnings.filterwarnings("ignore", category=VersionMismatchWarning)  # what matters is in our own code's version
    _hush()
    with dask.config.set({"distributed.comm.timeouts.connect": SOON}):
        try:
            client = Client(place, timeout=SOON, set_as_default=False, name="quant")  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise _nobody(place, error) from None
        with client:
            yield client


def _hush() -> None:
    """What Dask would say of a lost connection, with its traceback, is told by our errors."""
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _knock(place: str) -> None:
    """Dask would wait for seconds where nobody listens, and take any server's bytes for a message.

    A Dask server speaks first: eight bytes, little-endian, of how long its greeting is (distributed/comm/tcp.py).
    """
    where = urlsplit(place)
    try:
        with socket.create_connection((where.hostname, where.port), timeout=SOON) as connection:
            greeting = connection.recv(8, socket.MSG_WAITALL)
    except OSError as error:
        raise _nobody(place, error) from None
    if not 0 < int.from_bytes(greeting, "little") < GREETING:
        raise ClusterFailed(f"what answers at {place} is no scheduler", hint=f"is the port right? {_WHERE}")


def _nobody(place: str, error: Exception) -> ClusterFailed:
    hint = f"{_WHERE}; settings.compute.controllers there must name this machine's address"
    return ClusterFailed(f"no scheduler answers at {place}: {str(error) or type(error).__name__}", hint=hint)


_WHERE = "./inv quant.cluster --group GROUP deploys one, and says where"


def checked(scheduler: str) -> str:
    """tcp://HOST:PORT as it is. Raises UsageError."""
    try:
        place = urlsplit(scheduler)
        right = place.scheme == "tcp" and bool(place.hostname) and place.port is not None and not place.path
    except ValueError:
        right = False
    if not right:
        raise UsageError(f"--scheduler {scheduler!r} is no address", hint="write tcp://10.0.0.1:8786")
    return scheduler


def versions(client: Any) -> dict[str, str]:
    """Which code each worker runs, by its address; what it answered instead where it could not tell."""
    found = client.run(code_version, on_error="return")
    return {place: said if isinstance(said, str) else _told(said) for place, said in sorted(found.items())}


def refuse_others(client: Any, scheduler: str) -> None:
    """Raises ClusterFailed unless there are workers, and all of them run this program's code."""
    found, ours = versions(client), code_version()
    if not found:
        raise ClusterFailed(
            f"{scheduler} has no workers", hint="./inv quant.cluster --group GROUP --status; on a host: "
            "./inv logs --host HOST --unit compute-worker.service",
        )  # fmt: skip
    others = [f"{place} runs {said}" for place, said in found.items() if said != ours]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise ClusterFailed(
            f"workers run other code than this program, which is {ours}: {', '.join(others[:3])}{more}",
            hint=f"{DEPLOY}; Python and numba must be theirs, too",
        )


def _told(error: object) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
