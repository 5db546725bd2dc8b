"""The tunnel that brings TradingView's alerts to this host: a vendor's agent, watched, and its failures in words."""
