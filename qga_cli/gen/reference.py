"""The README's table of commands."""

from qga_cli import catalog
from qga_cli.cli.command_help import usage

BEGIN, END = "<!-- commands: written by `make gen` -->", "<!-- end of commands -->"


def insert(readme: str) -> str:
    """`readme` with a fresh table between the marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def table() -> str:
    """Every command: how it is typed, what it does, what the agent calls it."""
    lines = ["| type | to | wire name |", "|---|---|---|"]
    for command in catalog.walk():
        wire = f"`{command.wire}`" if command.wire else ""
        typed = usage(command).replace("|", "\\|")
        lines.append(f"| `{typed}` | {command.summary} | {wire} |")
    return "".join(line + "\n" for line in lines)
