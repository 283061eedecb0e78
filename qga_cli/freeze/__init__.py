"""Freezes that nobody can forget. watchdog.py begins with the messages of one."""
