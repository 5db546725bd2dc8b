"""Why a tunnel is not there, as its owner reads it: what happened, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"ERR_NGROK_(\d+)")


@dataclass(frozen=True)
class Failure:
    """`lasting`: trying again soon does not help, somebody must do something first."""

    code: str
    why: str
    hint: str
    lasting: bool = False


TAKEN = "334"
_TOKEN = "./inv secrets.set tunnel_token, then ./inv deploy"  # noqa: S105 - a command, not a token
_OTHER = "stop the other agent, or set tunnel.take_over"
NGROK = {
    one.code: one
    for one in (
        Failure("105", "the token is not one of ngrok's", _TOKEN, lasting=True),
        Failure("107", "ngrok refuses the token: it was revoked, or its account is gone", _TOKEN, lasting=True),
        Failure("108", "the account's plan allows one agent at a time, and another one runs", _OTHER),
        Failure("121", "this agent is too old for ngrok's service", "a newer `tunnel.version`", lasting=True),
        Failure("320", "the account may not use this URL", "reserve it in ngrok's dashboard: Domains", lasting=True),
        Failure(TAKEN, "the URL is online elsewhere: another agent holds it", _OTHER),
        Failure("4018", "ngrok wants a verified account and a token", _TOKEN, lasting=True),
        Failure("8012", "the tunnel is there, and the webhook behind it did not answer", "./inv status"),
        Failure("3200", "ngrok says that no agent is online for the URL", "see ./inv tunnel.status"),
    )
}


def of(kind: str, text: str) -> Failure:
    """What an agent's last words mean; of unknown ones, themselves."""
    found = _CODE.search(text) if kind == "ngrok" else None
    if found and found[1] in NGROK:
        return NGROK[found[1]]
    said = " ".join(text.split())[:300] or "it ended without a word"
    hint = f"https://ngrok.com/docs/errors/err_ngrok_{found[1]}" if found else f"journalctl -u {UNIT}"
    return Failure(found[1] if found else "", f"{kind} says: {said}", hint)


UNIT = "ngrok-tv.service"
