"""Rules of money: fees, slippage, funding, contracts, sizes, leverage, liquidation."""

from __future__ import annotations

from tests.quant.engine.drawn import Table

ROUND = """
    open high low close side
    100  101  99  100   L
    100  111  99  110   .
    110  111  109 110   .
"""
SHORT_ROUND = ROUND.replace("L", "S")
STOPPED = """
    open high low close side
    100  101  99  100   L
    100  101  94  100   L
    110  111  109 110   .
"""
TARGETED = """
    open high low close side
    100  101  99  100   L
    100  107  99  100   L
    110  111  109 110   .
"""
INVERSE = {"contract": "inverse", "max_leverage": 1000, "maintenance_margin": 0}
LOOSE = {"max_leverage": 1000, "maintenance_margin": 0}
ONE = {"mode": "quantity", "quantity": 1}


def costs(**given: float) -> dict[str, dict[str, float]]:
    return {"costs": {"taker_fee": 0} | given}


COSTS = [
    Table("fees are of the value of each fill", ROUND, "pnl fees\n7.9 2.1", costs(taker_fee=0.01)),
    Table("a short pays as much", SHORT_ROUND, "pnl fees\n-12.1 2.1", costs(taker_fee=0.01)),
    Table(
        "a stop is filled at market",
        STOPPED,
        "exit pnl fees\n95 -6.95 1.95",
        costs(taker_fee=0.01, maker_fee=0) | {"exits": {"stop_pct": 5}},
    ),
    Table(
        "a target is filled as a maker, without slippage",
        TARGETED,
        "entry exit fees\n101 106.05 1.01",
        costs(taker_fee=0.01, maker_fee=0, slippage=0.01) | {"exits": {"target_pct": 5}},
    ),
    Table(
        "a maker's rebate is a negative fee",
        TARGETED,
        "exit fees\n105 -0.105",
        costs(maker_fee=-0.001) | {"exits": {"target_pct": 5}},
    ),
    Table(
        "without a maker's fee of its own a target pays the taker's",
        TARGETED,
        "exit fees\n105 2.05",
        costs(taker_fee=0.01) | {"exits": {"target_pct": 5}},
    ),
    Table("slippage is against us on both sides", ROUND, "entry exit pnl\n101 108.9 7.9", costs(slippage=0.01)),
    Table("for a short too", SHORT_ROUND, "entry exit pnl\n99 111.1 -12.1", costs(slippage=0.01)),
    Table("slippage in ticks comes on top", ROUND, "entry exit\n103 106.9", costs(slippage=0.01, slippage_ticks=2)),
    Table(
        "a stop's distance counts from the fill, and its own fill slips",
        STOPPED,
        "entry stop exit\n101 95.95 94.9905",
        costs(slippage=0.01) | {"exits": {"stop_pct": 5}},
    ),
    Table(
        "the last close is at market too",
        "open high low close side equity\n100 101 99 100 L 10000\n100 101 99 100 L 9996",
        "entry exit fees reason\n101 99 2 END",
        costs(taker_fee=0.01, slippage_ticks=1),
    ),
]

HELD = """
    open high low close side
    100  101  99  100   L
    100  101  99  100   L
    110  111  109 110   L
    120  121  119 120   .
    130  131  129 130   .
"""
FUNDINGS = [
    Table("longs pay at the open's price", HELD, "funding pnl\n-1.1 28.9", funding={2: 0.01}),
    Table("shorts receive", HELD.replace("L", "S"), "funding pnl\n1.1 -28.9", funding={2: 0.01}),
    Table("of a negative rate longs receive", HELD, "funding\n1.1", funding={2: -0.01}),
    Table("who enters at that very open pays nothing", HELD, "entry_bar funding\n1 0", funding={1: 0.01}),
    Table("who leaves at that very open pays", HELD, "exit_bar funding\n4 -1.3", funding={4: 0.01}),
    Table("what is due inside a bar is paid at the next open", HELD, "funding\n-1.2", funding={2.5: 0.01}),
    Table("several between two opens add up", HELD, "funding\n-3.6", funding={2.2: 0.01, 2.6: 0.02}),
    Table("before and after the data nothing is due", HELD, "funding\n0", funding={-1: 0.01, 0: 0.01, 9: 0.01}),
    Table(
        "of inverse contracts it is paid in the coin",
        HELD,
        "funding\n-0.00909090909090909",
        {"instrument": INVERSE | {"contract_value": 100}},
        funding={2: 0.01},
    ),
]

CONTRACTS = [
    Table("a linear contract's value multiplies", ROUND, "pnl\n1000", {"instrument": LOOSE | {"contract_value": 100}}),
    Table(
        "one inverse contract of 100 USD earns 100 x (1/100 - 1/110) coins",
        ROUND,
        "quantity pnl fees\n1 0.07181818181818182 0.0190909090909091",
        {"instrument": INVERSE | {"contract_value": 100}, "costs": {"taker_fee": 0.01}},
    ),
    Table(
        "a short one loses as much",
        SHORT_ROUND,
        "pnl\n-0.09090909090909094",
        {"instrument": INVERSE | {"contract_value": 100}},
    ),
    Table(
        "without a contract's value the quantity is in coins at the entry price",
        ROUND,
        "quantity pnl\n2 0.1818181818181819",
        {"instrument": INVERSE, "sizing": {"mode": "quantity", "quantity": 2}},
    ),
]

SMALL = {"account": {"equity": 1000}}
SIZES = [
    Table("a fraction of the equity", ROUND, "quantity\n5", SMALL | {"sizing": {"mode": "fraction", "fraction": 0.5}}),
    Table(
        "the entry's fee is in it: all of the equity can be spent",
        ROUND,
        "quantity fees\n9.0909090909090909 190.90909090909091",
        SMALL | {"sizing": {"mode": "fraction"}, "instrument": {"max_leverage": 1}, "costs": {"taker_fee": 0.1}},
    ),
    Table(
        "more than the leverage is not bought",
        ROUND,
        "quantity\n20",
        SMALL | {"sizing": {"mode": "fraction", "fraction": 5}, "instrument": {"max_leverage": 2}},
    ),
    Table(
        "a fixed quantity is held to the leverage too",
        ROUND,
        "quantity\n10",
        SMALL | {"sizing": {"mode": "quantity", "quantity": 50}, "instrument": {"max_leverage": 1}},
    ),
    Table(
        "a risk of 1 % with a stop 5 % away",
        ROUND,
        "quantity\n2",
        SMALL | {"sizing": {"mode": "risk", "risk_pct": 1}, "exits": {"stop_pct": 5}},
    ),
    Table(
        "below 0.1 the risk is a fraction, as the webhook reads it",
        ROUND,
        "quantity\n2",
        SMALL | {"sizing": {"mode": "risk", "risk_pct": 0.01}, "exits": {"stop_pct": 5}},
    ),
    Table(
        "a trailing stop is a stop to be sized by",
        ROUND,
        "quantity stop\n2 95",
        SMALL | {"sizing": {"mode": "risk", "risk_pct": 1}, "exits": {"trailing_pct": 5}},
    ),
    Table(
        "a risk without a stop is refused",
        ROUND,
        "quantity",
        SMALL | {"sizing": {"mode": "risk", "risk_pct": 1}},
        refused=1,
    ),
    Table(
        "down to the step",
        ROUND,
        "quantity\n3.3",
        SMALL | {"sizing": {"mode": "fraction", "fraction": 0.3399}, "instrument": LOOSE | {"qty_step": 0.1}},
    ),
    Table(
        "below the step nothing is bought, and it is counted",
        ROUND,
        "quantity",
        {"sizing": {"mode": "quantity", "quantity": 0.9}, "instrument": LOOSE | {"qty_step": 1}},
        refused=1,
    ),
    Table(
        "below the least quantity nothing is bought",
        ROUND,
        "quantity",
        {"sizing": ONE, "instrument": LOOSE | {"min_qty": 2}},
        refused=1,
    ),
    Table(
        "below the least value nothing is bought",
        ROUND,
        "quantity",
        {"sizing": ONE, "instrument": LOOSE | {"min_notional": 100.5}},
        refused=1,
    ),
    Table(
        "a refused entry is not tried again while its side is wanted",
        HELD,
        "quantity",
        {"sizing": ONE, "instrument": LOOSE | {"min_notional": 1e6}},
        refused=1,
    ),
    Table(
        "levels are whole ticks where the tick is told: a stop farther away, a target too",
        """
        open high low close side
        100  101  99  100   L
        100  107  95.1 100  L
        100  104  94  100   .
        """,
        "stop exit reason\n95 95 STOP",
        {"exits": {"stop_pct": 4.7, "target_pct": 7.3}, "instrument": LOOSE | {"tick_size": 1}},
    ),
]

TENFOLD = SMALL | {"sizing": {"mode": "fraction", "fraction": 10}}
MARGIN = {"max_leverage": 10, "maintenance_margin": 0.05}
FALL = """
    open high low close side equity
    100  101  99  100   L    1000
    100  101  95  100   L    1000
    100  101  80  100   L    473.6842105263165
    100  101  99  100   L    473.6842105263165
"""
RISE = """
    open high low close side
    100  101  99  100   S
    100  101  99  100   S
    100  120  99  100   S
"""
LIQUIDATIONS = [
    Table(
        "a long is liquidated where its equity is the maintenance margin",
        FALL,
        "exit_bar exit reason\n2 94.73684210526316 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN},
    ),
    Table(
        "so is a short",
        RISE,
        "exit_bar exit reason\n2 104.76190476190476 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN},
    ),
    Table(
        "a stop that comes before it is the stop's",
        FALL.replace("101  95 ", "101  96 ").replace("473.6842105263165", "500"),
        "exit_bar exit reason\n2 95 STOP",
        TENFOLD | {"instrument": MARGIN, "exits": {"stop_pct": 5}},
    ),
    Table(
        "beyond it at the open: at the open, and never below zero",
        """
        open high low close side equity
        100  101  99  100   L    1000
        100  101  99  100   L    1000
        80   101  79  100   L    0
        100  101  99  100   .    0
        100  101  99  100   L    0
        100  101  99  100   L    0
        """,
        "exit_bar exit pnl reason\n2 80 -1000 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN},
        refused=1,
    ),
    Table(
        "an inverse long is liquidated earlier: its margin falls with the price",
        FALL.replace("95  ", "96  ").replace("473.6842105263165", "523.809523809524"),
        "exit_bar exit reason\n2 95.45454545454545 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN | {"contract": "inverse", "contract_value": 1}},
    ),
    Table(
        "an inverse short later",
        RISE,
        "exit_bar exit reason\n2 105.55555555555556 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN | {"contract": "inverse", "contract_value": 1}},
    ),
    Table(
        "an inverse short of one times the equity holds its value in USD, whatever the price: never",
        RISE.replace("120", "1e9"),
        "reason\nEND",
        SMALL | {"instrument": MARGIN | {"contract": "inverse", "contract_value": 1}, "sizing": {"mode": "fraction"}},
    ),
    Table(
        "funding that eats the margin brings the liquidation nearer",
        """
        open high low close side
        100  101  99  100   L
        100  101  96  100   L
        100  101  96  100   L
        100  101  99  100   L
        """,
        "exit_bar exit funding reason\n2 96.8421052631579 -200 LIQUIDATION",
        TENFOLD | {"instrument": MARGIN},
        funding={2: 0.02},
    ),
]
TABLES = [*COSTS, *FUNDINGS, *CONTRACTS, *SIZES, *LIQUIDATIONS]
