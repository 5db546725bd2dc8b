"""What `/ready` is made of. A check is None when all is well, else a sentence with the figure that is not."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from runtime import http
from runtime.payload import Json
from runtime.store import Store, StoreError


async def store_problem(store: Store) -> str | None:
    """Found out by committing a row."""
    try:
        await store.probe()
    except StoreError as error:
        return str(error)
    return None


def disk_problem(folders: Iterable[Path], least: int) -> str | None:
    """Below `least` bytes a service that records everything should not take more."""
    for folder in folders:
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            return str(error)
        if free < least:
            return f"{free / 1e6:.0f} MB free in {folder}, at least {least / 1e6:.0f} MB are wanted"
    return None


def answer(checks: Mapping[str, str | None], degraded: Mapping[str, str] | None = None) -> http.JsonResponse:
    """503 when a check failed. What is degraded is named and changes nothing: it delays only itself."""
    is_ready = not any(checks.values())
    shown: dict[str, str] = {name: problem or "ok" for name, problem in checks.items()}
    for name, why in (degraded or {}).items():
        shown[name] = shown[name] if checks.get(name) else f"degraded: {why}"
    content: Json = {"ok": is_ready, "checks": shown, "degraded": sorted(degraded or {})}
    return http.JsonResponse(content, status_code=200 if is_ready else 503)
