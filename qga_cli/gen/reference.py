"""docs/commands.md: the table of commands."""

from qga_cli import catalog
from qga_cli.cli.command_help import usage

_HEAD = """\
# Every command

Written by `make gen` from the command records: do not edit. `qga help COMMAND`
opens a command's manual page.

"""


def page() -> str:
    """docs/commands.md."""
    return _HEAD + table()


def table() -> str:
    """Every command: how it is typed, what it does, what the agent calls it."""
    lines = ["| type | to | wire name |", "|---|---|---|"]
    for command in catalog.walk():
        wire = f"`{command.wire}`" if command.wire else ""
        typed = usage(command).replace("|", "\\|")
        lines.append(f"| `{typed}` | {command.summary} | {wire} |")
    return "".join(line + "\n" for line in lines)
