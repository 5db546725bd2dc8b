"""CSV files as charts and exchanges write them, to candles: every row read, checked, or told with its line
(docs/candles.md).
"""

from quant.importing.rows import Imported as Imported
from quant.importing.rows import read as read
