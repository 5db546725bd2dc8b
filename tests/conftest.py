"""What every test run shares: generated cases are the same on every run of CI, and new ones on a person's machine.

A run that a shell put into the background ignores Ctrl-C, and all that it starts would ignore it too: tests that
interrupt a program would wait for ever.
"""

from __future__ import annotations

import os
import signal

from hypothesis import settings

signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("person", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "person")
