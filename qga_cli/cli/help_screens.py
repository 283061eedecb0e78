"""The first screens: what to type next, from the command records."""

import os
import sys

from qga_cli import catalog

_EVERYDAY = ("list", "exec", "shell", "cp", "fs list", "fs with-frozen", "wait", "doctor")
_SHORT = 50  # characters of an example
_UNFOLDED = 1000  # columns
_OPTIONS = [
    ("-c, --connect URI", "the host: a libvirt URI, unix:PATH, vsock:CID:PORT or pve"),
    ("-o, --output FORM", "table, json, jsonl, yaml, csv, tsv or raw"),
    ("--timeout TIME", "give up after 30s, 5m ..."),
    ("--explain", "show what would be sent, and send nothing"),
    ("-V, --version", "print the version of qga"),
]
_MORE = [
    ("qga COMMAND --help", "what a command takes, with examples"),
    ("qga help COMMAND", "its manual page"),
    ("qga help TOPIC", "options, configuration, targets, output, exit-codes, transports"),
    ("source <(qga completion bash)", "TAB then knows commands, guests and files inside them"),
]


def root() -> str:
    """The screen of `qga` alone: examples first, then every command in a line."""
    aliases = _aliases()
    start = []
    for name in _EVERYDAY:
        command = catalog.find(name.split())
        own = [e for e in command.examples if e.line.startswith("qga ")] if command else []
        if own:
            shortest = min(own, key=lambda example: len(example.line))
            shown = next((e for e in own if len(e.line) < _SHORT), shortest)
            start.append((shown.line, shown.says))
    words = [(word, catalog.load((word,)).summary) for word in catalog.leaves(())]
    groups = [(group, catalog.group_summary(group)) for group in catalog.groups()]
    named = f"\nAliases of the configuration:\n{_columns(aliases)}" if aliases else ""
    return (
        _line("Work inside virtual machines from their host, through the QEMU guest agent.")
        + f"\nStart here:\n{_columns(start)}"
        f"\nCommands:\n{_columns(words)}"
        f"\n{_line('Groups of commands (`qga GROUP` lists them):')}{_columns(groups)}"
        f"{named}"
        f"\nOptions, before the command or after it:\n{_columns(_OPTIONS)}"
        f"\nMore:\n{_columns(_MORE)}"
    )


def _aliases() -> list[tuple[str, str]]:
    """Each alias and its words. A mistake in the configuration does not stop the help."""
    from qga_cli import config
    from qga_cli.errors import UsageError

    try:
        return [(name, alias.value) for name, alias in config.load().table("aliases").items()]
    except UsageError:
        return []


def group(name: str) -> str:
    """The screen of a group: its commands, and an example of each."""
    commands = [catalog.load((name, leaf)) for leaf in catalog.leaves((name,))]
    examples = [(c.examples[0].line, c.examples[0].says) for c in commands if c.examples]
    return (
        f"{_line(catalog.group_summary(name) + '.')}"
        f"\nCommands:\n{_columns([(command.name, command.summary) for command in commands])}"
        f"\nExamples:\n{_columns(examples)}"
        f"\n{_line(f'`qga {name} COMMAND --help` tells more.')}"
    )


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max((len(left) for left, _ in rows), default=0)
    lines = [f"  {left:<{width}}   {right}\n" for left, right in rows]
    if max(map(len, lines), default=0) <= _width() + 1:  # the line's end is no column
        return "".join(lines)
    from qga_cli.cli.command_help import listed

    return listed(rows, _width())


def _line(text: str) -> str:
    if len(text) <= _width():
        return text + "\n"
    from qga_cli.cli.command_help import folded

    return folded(text, _width())


def _width() -> int:
    """Columns of the terminal. In a pipe nothing is folded."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _UNFOLDED
    except (OSError, ValueError):
        return _UNFOLDED
