"""cgminer's API (TCP, port 4028) for asyncio: typed, and patient with what it really sends.

    client = Client()                       # 127.0.0.1:4028, five seconds for a whole exchange
    state = await client.state()            # MinerState: totals, pools, sticks keyed on their serial number
    await client.set_frequency("10042", 400)

The protocol, as cgminer's API-README and api.c have it, and as it was seen: one request a connection, JSON
`{"command": "summary", "parameter": ""}`, the reply is read to its end and ends in a NUL byte. `"summary+devs"` asks
several at once. What a reply may be short of (missing keys, `nan`, `}{` without a comma, a STATUS of `E` and no data)
becomes None, never an error: only what is no reply at all is `ApiStrange`.

Units: hashrates are GH/s (the API says MH/s), frequencies MHz, temperatures degrees Celsius, times seconds; moments are
aware UTC. Nothing here ever holds a pool's password: the API does not tell it.

Errors:
    CgminerError
      ApiDown     nobody listens there: cgminer does not run, or has had no living pool yet
      ApiSlow     it was reached, and did not finish its answer in time: it hangs
      ApiStrange  it answered, and not with a reply: another program, a cut connection, no --api-allow for us
      ApiRefused  it understood, and said no; `code` is the API's own
      OutOfRange  asked for what the stick or the pool list does not have; nothing was sent
"""

from miner.cgminer.client import Client
from miner.cgminer.errors import ApiDown, ApiRefused, ApiSlow, ApiStrange, CgminerError, OutOfRange
from miner.cgminer.models import MinerState, Pool, StickState
from miner.cgminer.reply import Reply, Row, Status

__all__ = [
    "ApiDown",
    "ApiRefused",
    "ApiSlow",
    "ApiStrange",
    "CgminerError",
    "Client",
    "MinerState",
    "OutOfRange",
    "Pool",
    "Reply",
    "Row",
    "Status",
    "StickState",
]
