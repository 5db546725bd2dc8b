"""The log book: how an entry looks, and how it gets into journal.md exactly once."""
