"""tv-webhook: takes TradingView alerts, commits them, and only then answers."""
