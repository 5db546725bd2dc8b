"""How fast quant answers, beside what its user could pick instead."""
