"""What the tunnel carried lately, and the way out and back: for `./inv tunnel.status` and `tunnel.replay`.

ngrok's inspector on this machine keeps the last requests with their bodies, so with the alerts' keys: they are masked
before anything is told.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from runtime import probe, settings
from runtime.keys import Secret
from runtime.tunnel import state
from runtime.tunnel.settings import TunnelSettings

Json = dict[str, Any]
NEWEST = 20
SECONDS = 10.0
_KEYS = re.compile(r'("(?:key|ops_key|token)"\s*:\s*)"(?:[^"\\]|\\.)*"')


class Unreachable(Exception):
    """Told as it is."""


def status(found: TunnelSettings) -> Json:
    """`{"tunnel": state or null, "url", "requests": [...], "inspector": why not or "", "probe": {"ok", "why",
    "ms"}}`.
    """
    there = state.read(found.state)
    url = (there.url if there else "") or found.url
    told: Json = {"tunnel": asdict(there) if there else None, "url": url, "requests": [], "inspector": ""}
    if found.inspector:
        try:
            told["requests"] = _requests(found.inspector)
        except Unreachable as error:
            told["inspector"] = f"ngrok's inspector: {error}"
    return told | {"probe": _probe(url)}


def replay(found: TunnelSettings, number: str) -> Json:
    """Have ngrok's agent send a request to the webhook once more. An alert that was taken is known again there."""
    if not found.inspector:
        return {"error": f"{found.kind.name} keeps no requests", "hint": "only ngrok's agent can replay"}
    try:
        answer = _ask(f"{found.inspector}/api/requests/http", "POST", json.dumps({"id": number}))
    except Unreachable as error:
        return {"error": str(error), "hint": "is ngrok-tv up? ./inv tunnel.status"}
    if answer[0] >= 400:
        return {"error": f"there is no request {number}", "hint": "./inv tunnel.status lists those that are kept"}
    return {"ok": True, "id": number}


def masked(text: str) -> str:
    """Keys in a body's JSON, also where it is cut off."""
    return _KEYS.sub(r'\1"********"', text)


def _requests(inspector: str) -> list[Json]:
    status, _, body = _ask(f"{inspector}/api/requests/http?limit={NEWEST}", "GET")
    if status != 200:
        raise Unreachable(f"ngrok's inspector answers {status}")
    try:
        return [_request(one) for one in json.loads(body).get("requests", [])]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise Unreachable("ngrok's inspector says what is no list of requests") from error


def _request(one: Json) -> Json:
    asked, answered = one.get("request", {}), one.get("response") or {}
    raw = base64.b64decode(asked.get("raw", "")).decode(errors="replace")
    body = raw.partition("\r\n\r\n")[2]
    forwarded = asked.get("headers", {}).get("X-Forwarded-For", [one.get("remote_addr", "")])
    return {
        "id": one["id"],
        "at": one.get("start", ""),
        "from": str(forwarded[-1]).rpartition(",")[2].strip(),
        "method": asked.get("method", ""),
        "path": str(asked.get("uri", ""))[:200],
        "status": answered.get("status_code"),
        "ms": round(one.get("duration", 0) / 1e6, 1),
        "body": masked(body)[:300],
    }


def _probe(url: str) -> Json:
    """Out to the public URL and back to this machine's webhook, proved by the operator's key."""
    key = settings.environment().get("OPS_ADMIN_KEY", "")
    if not url or not key:
        return {"ok": None, "why": "no ops_key in the role's settings" if url else "the public URL is not known yet"}
    asked, wanted = probe.question(Secret(key))
    headers = {probe.HEADER: asked, "ngrok-skip-browser-warning": "1"}
    try:
        status, answered, _ = _ask(f"{url}/health", "GET", headers=headers)
    except Unreachable as error:
        return {"ok": False, "why": str(error)}
    if hmac.compare_digest(answered.get(probe.HEADER, "").encode(), wanted.encode()):
        return {"ok": True, "why": ""}
    return {"ok": False, "why": f"{url} answers {status}, and cannot prove that it is this host's webhook"}


def _ask(url: str, method: str, body: str = "", headers: Mapping[str, str] | None = None) -> tuple[int, Any, str]:
    place = urlsplit(url)
    secure = place.scheme == "https"
    made: http.client.HTTPConnection = (
        http.client.HTTPSConnection(place.netloc, timeout=SECONDS, context=ssl.create_default_context())
        if secure
        else http.client.HTTPConnection(place.netloc, timeout=SECONDS)
    )
    try:
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        made.request(method, path, body or None, {"Content-Type": "application/json", **(headers or {})})
        answer = made.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreachable(f"{place.scheme}://{place.netloc} does not answer: {why}") from error
    finally:
        made.close()
