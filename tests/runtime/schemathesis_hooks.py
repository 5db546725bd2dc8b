"""For the schemathesis run: three times in four a generated request carries the right key, the rest go as they are."""

from __future__ import annotations

import os
import random
from typing import Any

import schemathesis

KEYS = {"/tv": ("key", "TV_WEBHOOK_KEY")}
OPERATOR = ("ops_key", "OPS_ADMIN_KEY")
dice = random.Random(0)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    path = case.operation.path
    if case.method.upper() == "POST" and isinstance(case.body, dict) and dice.random() < 0.75:
        field, variable = KEYS.get(path, OPERATOR) if not path.startswith("/perf") else ("", "")
        if field:
            case.body[field] = os.environ[variable]
            (case.headers or {}).pop("X-Ops-Key", None)
