"""Runs for hours, each of them begun by hand: `python -m tests.soak.fuzz`."""
