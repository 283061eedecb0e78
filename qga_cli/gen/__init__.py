"""Writes what is derived from the command records: man pages, completions, the reference."""
