"""`python -m ops`: what `./inv` runs, with what costs every command some 50 ms left out."""

from __future__ import annotations

import gc
import sys
import types

# Hundreds of modules are about to be loaded and all of them stay: looking for garbage that often finds none.
gc.set_threshold(100_000, 50, 50)

# Invoke imports unittest.mock, and with it asyncio, for a test helper that we do not use. The stand-in is gone before
# anything else could ask for the real one.
sys.modules["unittest.mock"] = stand_in = types.ModuleType("unittest.mock")
stand_in.__dict__["Mock"] = object

from ops.cli import main  # noqa: E402

del sys.modules["unittest.mock"]

if __name__ == "__main__":
    gc.freeze()
    sys.exit(main())
