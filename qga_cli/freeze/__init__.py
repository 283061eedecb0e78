"""Freezes that cannot be left behind."""
