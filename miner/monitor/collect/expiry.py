"""When certificates and keys end: from files, from servers, and from days that somebody wrote down."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from miner.monitor.schedule import Collector
from miner.monitor.settings import Pairs
from miner.readings import Reading
from runtime import clock

DAY = 86_400.0
PATIENCE = 10.0


class Expiry(Collector):
    """`expiry.days` of each, three times an hour: what is not heard of for an hour counts as no longer watched."""

    name, every, timeout = "expiry", 1200.0, 30.0

    def __init__(self, certificates: Pairs, keys: Iterable[tuple[str, datetime]]) -> None:
        self._certificates = certificates
        self._keys = tuple(keys)

    async def collect(self) -> list[Reading]:
        found = [Reading("expiry.days", name, _left(ends), f"{ends:%Y-%m-%d}") for name, ends in self._keys]
        return [*found, *await asyncio.gather(*(_certificate(name, place) for name, place in self._certificates))]


async def _certificate(name: str, place: str) -> Reading:
    try:
        async with asyncio.timeout(PATIENCE):
            ends = ends_of_file(Path(place)) if place.startswith("/") else await ends_of_server(place)
    except TimeoutError:
        return Reading("expiry.days", name, None, f"{place} does not answer")
    except (OSError, ValueError) as error:
        return Reading("expiry.days", name, None, f"{place}: {getattr(error, 'strerror', None) or error}"[:200])
    return Reading("expiry.days", name, _left(ends), f"{ends:%Y-%m-%d}")


def ends_of_file(path: Path) -> datetime:
    """The first certificate of a PEM file: a chain begins with the server's own. Raises OSError, ValueError."""
    text = path.read_text(encoding="ascii", errors="replace")
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if begin < 0:
        raise ValueError("no certificate is in it")
    return _ends(text[begin:])


async def ends_of_server(place: str) -> datetime:
    """What the server at host:port shows, trusted or not. Raises OSError, ValueError."""
    host, _, port = place.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its end is asked for, not its word
    _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=host)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
    return _ends(ssl.DER_cert_to_PEM_cert(shown))


def _ends(pem: str) -> datetime:
    """By the interpreter's own reader of certificates, which wants a file; its own test suite uses it too."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        decode = cast(Any, ssl)._ssl._test_decode_cert
        try:
            text = decode(file.name)["notAfter"]
        except ssl.SSLError as error:
            raise ValueError(f"not a certificate: {error.reason or error}") from error
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _left(ends: datetime) -> float:
    return (ends - clock.now()).total_seconds() / DAY
