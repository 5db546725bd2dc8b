"""Everything this project can do"""

from __future__ import annotations

from invoke import Collection, Context

from ops.cli import task

namespace = Collection()
