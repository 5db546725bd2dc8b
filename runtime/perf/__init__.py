"""perf: a ledger of virtual trades and what they add up to. No order is ever sent anywhere."""
