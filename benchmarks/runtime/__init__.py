"""How fast the services are, beside what they could be compared with: `python -P -m benchmarks.runtime`."""
