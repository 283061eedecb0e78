"""The first screens: what to type next, from the command records."""

from qga_cli import catalog

_EVERYDAY = ("list", "exec", "shell", "cp", "fs list", "fs with-frozen", "wait", "doctor")
_SHORT = 50  # characters of an example
_OPTIONS = """\
  -c, --connect URI   the host: a libvirt URI, unix:PATH, vsock:CID:PORT or pve
  -o, --output FORM   table, json, jsonl, yaml, csv, tsv or raw
  --timeout TIME      give up after 30s, 5m ...
  --explain           show what would be sent, and send nothing
"""
_MORE = """\
  qga COMMAND --help                what a command takes, with examples
  qga help COMMAND                  its manual page; also: targets, output, exit-codes, transports
  source <(qga completion bash)     TAB then knows commands, guests and files inside them
"""


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
        "Work inside virtual machines from their host, through the QEMU guest agent.\n"
        f"\nStart here:\n{_columns(start)}"
        f"\nCommands:\n{_columns(words)}"
        f"\nGroups of commands (`qga GROUP` lists them):\n{_columns(groups)}"
        f"{named}"
        f"\nOptions, before the command or after it:\n{_OPTIONS}"
        f"\nMore:\n{_MORE}"
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
        f"{catalog.group_summary(name)}.\n"
        f"\nCommands:\n{_columns([(command.name, command.summary) for command in commands])}"
        f"\nExamples:\n{_columns(examples)}"
        f"\n`qga {name} COMMAND --help` tells more.\n"
    )


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max((len(left) for left, _ in rows), default=0)
    return "".join(f"  {left:<{width}}   {right}\n" for left, right in rows)
