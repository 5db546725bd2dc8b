"""Walk-forward: choose on the past, trade the choice on what came next, and join those pieces (docs/checks.md)."""
