"""Rules of orders: when, at what price, and which of two comes first."""

from __future__ import annotations

from tests.quant.engine.drawn import Table

STOP = {"exits": {"stop_pct": 5}}
TARGET = {"exits": {"target_pct": 5}}
BOTH = {"exits": {"stop_pct": 5, "target_pct": 5}}
TRAILING = {"exits": {"trailing_pct": 5}}

FILLS = [
    Table(
        "a signal is filled at the next bar's open, and left at the open after the one that ends it",
        """
        open high low close side
        100  101  99  100   L
        102  103  101 102   L
        104  105  103 104   .
        106  107  105 106   .
        108  109  107 108   .
        """,
        """
        side entry_bar exit_bar entry exit pnl reason
        L    1         3        102   106  4   SIGNAL
        """,
    ),
    Table(
        "a reversal leaves and enters at the same open",
        """
        open high low close side equity
        100  101  99  100   L    10000
        102  103  101 101   S    9999
        104  105  103 103   S    10003
        98   99   97  98    .    10008
        97   98   96  97    .    10009
        """,
        """
        side entry_bar exit_bar entry exit pnl reason
        L    1         2        102   104  2   SIGNAL
        S    2         4        104   97   7   SIGNAL
        """,
    ),
    Table(
        "what is held when the data ends is closed at the last close",
        """
        open high low close side equity
        100  101  99  100   S    10000
        100  101  95  96    S    10004
        96   97   92  93    S    10007
        """,
        """
        side entry_bar exit_bar entry exit pnl reason
        S    1         2        100   93   7   END
        """,
    ),
    Table(
        "a signal of the last bar is never filled",
        """
        open high low close side
        100  101  99  100   .
        100  101  95  96    L
        """,
        "side entry_bar",
    ),
    Table(
        "the same side again asks for nothing; the quantity is held unchanged",
        """
        open high low close side
        100  101  99  100   L
        100  111  99  110   L
        110  111  109 110   L
        110  111  109 110   .
        110  111  109 110   .
        """,
        """
        side entry_bar exit_bar quantity
        L    1         4        1
        """,
    ),
]

STOPS = [
    Table(
        "a long's stop that is touched is filled at its price",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        98   99   95  97    .
        97   98   96  97    .
        """,
        """
        side entry_bar exit_bar entry exit stop r  reason
        L    1         2        100   95   95   -1 STOP
        """,
        STOP,
    ),
    Table(
        "a short's stop is above",
        """
        open high low close side
        100  101  99  100   S
        100  101  99  100   S
        102  105  101 102   .
        97   98   96  97    .
        """,
        """
        side entry_bar exit_bar entry exit stop r  reason
        S    1         2        100   105  105  -1 STOP
        """,
        STOP,
    ),
    Table(
        "a stop that is almost touched is not filled",
        """
        open high low   close side
        100  101  99    100   L
        100  101  95.01 100   L
        98   99   95.01 97    .
        97   98   96    97    .
        """,
        """
        exit_bar exit reason
        3        97   SIGNAL
        """,
        STOP,
    ),
    Table(
        "a bar that opens beyond a long's stop fills it at the open, worse than the stop",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        90   96   89  96    .
        97   98   96  97    .
        """,
        """
        exit_bar exit stop r  reason
        2        90   95   -2 STOP
        """,
        STOP,
    ),
    Table(
        "so does one that opens beyond a short's",
        """
        open high low close side
        100  101  99  100   S
        100  101  99  100   S
        110  111  100 101   .
        97   98   96  97    .
        """,
        """
        exit_bar exit stop r  reason
        2        110  105  -2 STOP
        """,
        STOP,
    ),
    Table(
        "a bar that opens exactly at the stop fills it there",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        95   120  94  120   L
        97   98   96  97    .
        """,
        """
        exit_bar exit reason
        2        95   STOP
        """,
        STOP,
    ),
    Table(
        "the entry bar can hit its own stop",
        """
        open high low close side
        100  101  99  100   L
        100  101  94  100   .
        97   98   96  97    .
        """,
        """
        entry_bar exit_bar exit reason
        1         1        95   STOP
        """,
        STOP,
    ),
    Table(
        "the low of the signal's own bar is not the position's",
        """
        open high low close side
        100  101  50  100   L
        100  101  99  100   .
        97   98   96  97    .
        """,
        """
        entry_bar exit_bar reason
        1         2        SIGNAL
        """,
        STOP,
    ),
    Table(
        "after a stop the same side is not entered again until the strategy has wanted something else",
        """
        open high low close side
        100  101  99  100   L
        100  101  94  100   L
        100  101  99  100   L
        100  101  99  100   .
        100  101  99  100   L
        100  101  99  100   L
        """,
        """
        side entry_bar exit_bar reason
        L    1         1        STOP
        L    5         5        END
        """,
        STOP,
    ),
    Table(
        "after a stop the other side is entered at once",
        """
        open high low close side
        100  101  99  100   L
        100  101  94  100   S
        100  101  99  100   S
        100  101  99  100   S
        """,
        """
        side entry_bar exit_bar reason
        L    1         1        STOP
        S    2         3        END
        """,
        STOP,
    ),
    Table(
        "a signal and an open beyond the stop: one fill at the open, and the signal has it",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   S
        90   91   89  90    S
        90   91   89  90    S
        """,
        """
        side entry_bar exit_bar entry exit reason
        L    1         2        100   90   SIGNAL
        S    2         3        90    90   END
        """,
        STOP,
    ),
    Table(
        "the strategy's own distance counts from the fill, and is the one of the signal's bar",
        """
        open high low close side stop
        100  101  99  100   L    7
        110  111  104 110   L    1
        110  111  103 110   .    1
        97   98   96  97    .    1
        """,
        """
        entry exit stop reason
        110   103  103  STOP
        """,
    ),
    Table(
        "where the strategy gives no distance there is no stop",
        """
        open high low close side stop
        100  101  99  100   L    nan
        110  111  50  110   L    1
        110  111  50  110   .    1
        97   98   96  97    .    1
        """,
        """
        entry exit stop r   reason
        110   97   nan  nan SIGNAL
        """,
    ),
    Table(
        "the configured stop replaces the strategy's",
        """
        open high low close side stop
        100  101  99  100   L    1
        100  101  96  100   L    1
        100  101  95  100   .    1
        97   98   96  97    .    1
        """,
        """
        exit_bar exit reason
        2        95   STOP
        """,
        STOP,
    ),
    Table(
        "an ATR stop counts from the ATR of the signal's bar; before there is one the signal waits",
        """
        open high low close side
        100  102  98  100   L
        100  102  98  100   L
        100  109  92  100   L
        100  101  95  100   L
        100  101  92  100   L
        97   98   96  97    .
        """,
        """
        entry_bar exit_bar entry exit stop reason
        2         2        100   92   92   STOP
        """,
        {"exits": {"stop_atr": 2, "atr": 2}},
    ),
]

TARGETS = [
    Table(
        "a target is filled at its price",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        101  105  100 102   .
        97   98   96  97    .
        """,
        """
        exit_bar exit pnl reason
        2        105  5   TARGET
        """,
        TARGET,
    ),
    Table(
        "a short's is below",
        """
        open high low close side
        100  101  99  100   S
        100  101  99  100   S
        101  103  95  102   .
        97   98   96  97    .
        """,
        """
        exit_bar exit pnl reason
        2        95   5   TARGET
        """,
        TARGET,
    ),
    Table(
        "a bar that opens beyond the target fills it at the open, better than the target",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        108  109  90  102   .
        97   98   96  97    .
        """,
        """
        exit_bar exit pnl reason
        2        108  8   TARGET
        """,
        BOTH,
    ),
    Table(
        "the entry bar can reach its own target",
        """
        open high low close side
        100  101  99  100   L
        100  106  99  100   .
        97   98   96  97    .
        """,
        """
        entry_bar exit_bar exit reason
        1         1        105  TARGET
        """,
        TARGET,
    ),
    Table(
        "on a bar that touches both, the stop comes first",
        """
        open high low close side
        100  101  99  100   L
        100  101  99  100   L
        100  106  94  102   .
        97   98   96  97    .
        """,
        """
        exit_bar exit reason
        2        95   STOP
        """,
        BOTH,
    ),
    Table(
        "for a short too, on the entry bar too",
        """
        open high low close side
        100  101  99  100   S
        100  106  94  100   .
        97   98   96  97    .
        """,
        """
        entry_bar exit_bar exit reason
        1         1        105  STOP
        """,
        BOTH,
    ),
    Table(
        "a target in multiples of what is risked",
        """
        open high low close side
        100  101  99  100   S
        100  101  91  100   S
        100  101  89  100   .
        97   98   96  97    .
        """,
        """
        exit_bar exit r reason
        2        90   2 TARGET
        """,
        {"exits": {"stop_pct": 5, "target_r": 2}},
    ),
    Table(
        "the strategy's own target",
        """
        open high low close side target
        100  101  99  100   L    3
        100  102  91  100   L    1
        100  104  89  100   .    1
        97   98   96  97    .    1
        """,
        """
        exit_bar exit reason
        2        103  TARGET
        """,
    ),
]

TRAILS = [
    Table(
        "a trailing stop follows the best price of the bars before, and never comes back",
        """
        open high low close side
        100  101  99  100   L
        100  104  99  103   L
        103  110  102 109   L
        109  110  106 107   L
        107  108  104 105   .
        97   98   96  97    .
        """,
        """
        exit_bar exit stop reason   mfe
        4        105  95   TRAILING 0.1
        """,
        TRAILING,
    ),
    Table(
        "a bar's own high does not move the stop that its low is held against",
        """
        open high low close side
        100  101  99  100   L
        100  110  96  109   L
        109  110  106 107   .
        97   98   96  97    .
        """,
        """
        exit_bar exit reason
        3        97   SIGNAL
        """,
        TRAILING,
    ),
    Table(
        "a short's follows the lows",
        """
        open high low close side
        100  101  99  100   S
        100  101  90  92    S
        92   95   91  93    .
        97   98   96  97    .
        """,
        """
        exit_bar exit stop reason
        2        95   105  TRAILING
        """,
        TRAILING,
    ),
    Table(
        "of a stop and a trailing stop the nearer one counts",
        """
        open high low close side
        100  101  99  100   L
        100  101  98  100   L
        100  101  97  100   .
        97   98   96  97    .
        """,
        """
        exit_bar exit stop reason
        2        97   97   STOP
        """,
        {"exits": {"stop_pct": 3, "trailing_pct": 5}},
    ),
    Table(
        "a trailing stop that the bar opens beyond is filled at the open",
        """
        open high low close side
        100  101  99  100   L
        100  110  98  110   L
        101  102  100 101   .
        97   98   96  97    .
        """,
        """
        exit_bar exit reason
        2        101  TRAILING
        """,
        TRAILING,
    ),
]
TABLES = [*FILLS, *STOPS, *TARGETS, *TRAILS]
