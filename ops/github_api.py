"""GitHub's REST API, as far as a deploy key needs it: https://docs.github.com/en/rest/deploy-keys/deploy-keys."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ops.errors import OpsError

_TIMEOUT = 20.0
_HINTS = {
    401: "the token is wrong or expired: make one at https://github.com/settings/personal-access-tokens",
    403: 'the token may not do this: it needs "Administration: write" on this repository',
    404: "check OWNER/REPO; a token that may not see the repository gets this answer too",
}


def add_key(api: str, slug: str, token: str, title: str, key: str) -> bool:
    """The repository `slug` has the deploy key, with write access; False when it had it already. Raises OpsError."""
    there = _ask(api, "GET", f"/repos/{slug}/keys?per_page=100", token)
    mine = next((one for one in there if one["key"].split()[:2] == key.split()[:2]), None)
    if mine and not mine["read_only"]:
        return False
    if mine:  # a deploy key cannot be changed, only made anew
        _ask(api, "DELETE", f"/repos/{slug}/keys/{mine['id']}", token)
    _ask(api, "POST", f"/repos/{slug}/keys", token, {"title": title, "key": key, "read_only": False})
    return True


def _ask(api: str, method: str, path: str, token: str, body: Any = None) -> Any:
    status, text = _answer(api, method, path, token, json.dumps(body) if body else None)
    if status in (200, 201):
        return json.loads(text)
    if status == 204:
        return None
    hint = _HINTS.get(status, "")
    if status == 422 and "already in use" in text:
        hint = "another repository or account has this key: take it away there, or paste it at your account's keys"
    raise OpsError(f"{api}{path.partition('?')[0]} answered {status}: {_said(text)}", hint=hint)


def _answer(api: str, method: str, path: str, token: str, body: str | None) -> tuple[int, str]:
    parts = urlsplit(api)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_TIMEOUT)
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}", "User-Agent": "trading-ops"}
    try:
        connection.request(method, f"{parts.path.rstrip('/')}{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise OpsError(
            f"{api} cannot be reached: {error}", hint="paste the key by hand: leave the token out"
        ) from error
    finally:
        connection.close()


def _said(text: str) -> str:
    try:
        answer = json.loads(text)
        details = "; ".join(str(one.get("message", one)) for one in answer.get("errors", ()))
        return f"{answer['message']}{': ' + details if details else ''}"[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text[:300]
