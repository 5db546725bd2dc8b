"""`python -m quant.fetch`."""

import sys

from quant.cli import main
from quant.fetch.command import parser, run

sys.exit(main(parser(), run))
