"""The README's table of commands."""

from qga_cli import catalog
from qga_cli.cli.options import for_command
from qga_cli.spec import Command

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
        lines.append(f"| `{_usage(command)}` | {command.summary} | {wire} |")
    return "".join(line + "\n" for line in lines)


def _usage(command: Command) -> str:
    words = [f"qga {command.name}"]
    for arg in for_command(command):
        if arg.positional:
            word = arg.metavar.replace("|", "\\|")
            word += "..." if arg.many and "..." not in word else ""
            words.append(word if arg.required else f"[{word}]")
    return " ".join(words)
