"""Which alerts open, close or wait: the rules, without any database."""
