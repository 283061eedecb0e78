"""Processors: list, switch on and off, statistics, load."""
