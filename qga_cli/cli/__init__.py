"""The command line: the only floor that knows Typer, and the only one that exits."""
