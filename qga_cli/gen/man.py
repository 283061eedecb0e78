"""Manual pages of section 1, from the command records: qga(1) and one for every command."""

import re
from collections.abc import Mapping, Sequence

from qga_cli import __version__, catalog, spec
from qga_cli.cli import manual
from qga_cli.cli.options import COMMON, FLEET, SELECT, VIEW, WATCH, for_command
from qga_cli.gen.roff import bold, entry, example, heading, italic, literal, plain, prose, title
from qga_cli.spec import Arg, Command

_EXIT = {
    "0": "Done.",
    "1": "The agent refused or failed the command, or the output could not be written.",
    "2": "The command line makes no sense.",
    "3": "The hypervisor or the socket cannot be reached.",
    "4": "No such guest, or it is not running.",
    "5": "The agent is not configured, not connected, or does not answer.",
    "6": "The command is unknown to this agent, foreign to its system, or blocked by its policy.",
    "7": "Refused, because the guest's filesystems are frozen.",
    "8": "The outcome is unknown: the command was sent and no reply came.",
    "123": "Some guests of a fleet failed.",
    "124": "The time given with `--timeout` ran out.",
    "128+N": "Ended by signal N.",
}
_EXIT_PROGRAM = {
    "N": "The program's own exit code.",
    "2": _EXIT["2"],
    "123": _EXIT["123"],
    "124": "The time given with `--timeout` ran out.",
    "125": "qga itself failed; the message says how, and `-o json` has the code it would have had.",
    "126": "The program was found and cannot be executed.",
    "127": "The program was not found.",
    "128+N": "The program was killed by signal N.",
}
# Of commands that pass a program's exit code on, and end with other codes when they fail.
_EXIT_OTHER = {
    "rsh": {
        **{code: _EXIT_PROGRAM[code] for code in ("N", "2")},
        "255": "qga itself failed, or the time given with `--timeout` ran out.",
        "128+N": _EXIT_PROGRAM["128+N"],
    },
    "shell": {
        "N": "The exit code of the shell in the guest.",
        **{code: says for code, says in _EXIT.items() if code not in ("0", "123")},
    },
    "exec-status": {"N": "The program's own exit code, once it has ended.", **_EXIT},
}
_COMMON = {arg.name for arg in (*COMMON, *FLEET, *VIEW)}


def pages(date: str, shown: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every page by its file's name. `date` is the release's, so that builds can be repeated.

    `shown` has a command line and what it prints on a terminal, by wire name.
    """
    commands = list(catalog.walk())
    found = {
        f"{page_name(command)}.1": _page(command, date, shown.get(command.wire, ()))
        for command in commands
    }
    return {"qga.1": _root(commands, date), **found}


def options_page(date: str) -> str:
    """qga-options(7): what every command takes, or every one that names guests, or has columns."""
    groups = {
        "Every command": COMMON,
        "Commands that name guests": (*SELECT, *FLEET),
        "Commands that print columns": (*VIEW, *WATCH),
        "Commands that carry streams or files": (spec.CHANNEL,),
    }
    parts = [
        '.\\" Written by `make gen` from the command records: do not edit.\n',
        title("qga-options", 7, date, __version__),
        heading("NAME"), "qga\\-options \\- the options that commands have in common\n",
        heading("DESCRIPTION"),
        prose("They may stand before the command or after it. Each can be given a value for every "
              "day in `[defaults]` of the configuration, see qga-configuration(7); `--connect`, "
              "`--output`, `--timeout` and `--channel` by the environment too, see qga(1)."),
    ]  # fmt: skip
    for name, args in groups.items():
        parts += [f".SS {name}\n", *(option(arg) for arg in args)]
    return "".join([*parts, heading("SEE ALSO"), _links([("qga", 1)], but="options")])


def page_name(command: Command) -> str:
    """The page of a command, as man(1) is asked for it."""
    return "-".join(("qga", *command.words))


def release_date(changelog: str) -> str:
    """The date in this version's heading in CHANGELOG.md."""
    match = re.search(rf"^## {re.escape(__version__)}\b.*?(\d{{4}}-\d\d-\d\d)", changelog, re.M)
    return match[1] if match else ""


def dated(page: str, date: str) -> str:
    """A page written by hand, with the release in its title."""
    return re.sub(
        r"^(\.TH \S+ \d) .*", rf'\1 "{date}" "qga {__version__}" "qga manual"', page, flags=re.M
    )


def synopsis(command: Command) -> str:
    """The command line in roff."""
    words = [bold(f"qga {command.name}"), f"[{italic('OPTION')}...]"]
    slots = [arg for arg in for_command(command) if arg.positional]
    words += [_slot(arg) if arg.required else f"[{_slot(arg)}]" for arg in slots]
    return " ".join(words)


def _page(command: Command, date: str, shown: Sequence[str]) -> str:
    name = page_name(command)
    first = command.summary[0].lower() + command.summary[1:]
    if first[:3].isupper():
        first = command.summary
    parts = [
        '.\\" Written by `make gen` from the command records: do not edit.\n',
        title(name, 1, date, __version__),
        heading("NAME"), prose(f"{name} \0 {first}").replace("\0", "\\-"),
        heading("SYNOPSIS"), synopsis(command) + "\n",
        heading("DESCRIPTION"), prose(command.summary + "."),
    ]  # fmt: skip
    parts += [".PP\n" + prose(part) for part in command.notes.split("\n\n") if part]
    parts += [_arguments(command), _options(command), _output(command), _examples(command, shown)]
    parts += [_availability(command), _exit_status(command), _see_also(command)]
    return "".join(parts)


def _slot(arg: Arg) -> str:
    name = arg.metavar.removeprefix("-- ")
    dots = "..." if arg.many and "..." not in name else ""  # SRC... DST says it itself
    return (bold("--") + " " if name != arg.metavar else "") + italic(name) + dots


def _arguments(command: Command) -> str:
    args = [arg for arg in for_command(command) if arg.positional]
    text = "".join(entry(_slot(arg), _says(arg)) for arg in args)
    return heading("ARGUMENTS") + text if text else ""


def _options(command: Command) -> str:
    args = [arg for arg in for_command(command) if not arg.positional]
    own = [arg for arg in args if arg.name not in _COMMON or arg in command.args]
    shared = [arg for arg in args if arg not in own]
    text = heading("OPTIONS") + "".join(option(arg) for arg in own)
    text += ".SS Common options\n" if own else ""
    return text + "".join(option(arg) for arg in shared)


def option(arg: Arg) -> str:
    """One option's paragraph."""
    term = ", ".join(bold(name) for name in arg.names)
    if arg.takes_value:
        term += " " + italic(arg.metavar)
    return entry(term, _says(arg))


def _says(arg: Arg) -> str:
    text = arg.help + "."
    if arg.choices and arg.metavar != "|".join(arg.choices):
        text += " One of " + ", ".join(f"`{choice}`" for choice in arg.choices) + "."
    if arg.default not in (None, False):
        text += f" Default: {arg.default}."
    if arg.many and not arg.positional:
        text += " May be given several times."
    return text


def _output(command: Command) -> str:
    if not command.columns:
        return ""
    names = ", ".join(f"`{column.name}`" for column in command.columns)
    return heading("OUTPUT") + prose(f"Columns, for `--columns` and `--sort`: {names}.")


def _examples(command: Command, shown: Sequence[str]) -> str:
    output = ".PP\nOn a terminal:\n" + literal(*shown) if len(shown) > 1 else ""
    return (
        heading("EXAMPLES")
        + "".join(example(e.line, e.says) for e in command.examples).removeprefix(".PP\n")
        + output
    )


def _availability(command: Command) -> str:
    if not command.wire:
        return ""
    where = f", on {' or '.join(command.systems)}" if command.systems else ""
    wire = f"The agent's name for it is `{command.wire}`, and `qga {command.wire}` works too."
    since = f"It needs qemu-ga {command.since} or later{where}."
    return heading("AVAILABILITY") + prose(since) + heading("WIRE NAME") + prose(wire)


def _exit_status(command: Command) -> str:
    kinds = {arg.kind for arg in command.args}
    asks = command.scope != "none" or spec.PLACE in kinds
    codes = _EXIT if asks else {"0": _EXIT["0"], "2": _EXIT["2"]}
    if spec.WORDS in kinds:
        fleet = command.scope == "guest" and not command.lasts
        codes = {code: says for code, says in _EXIT_PROGRAM.items() if fleet or code != "123"}
    codes = _EXIT_OTHER.get(command.name, codes)
    text = "".join(entry(bold(code), says) for code, says in codes.items())
    return heading("EXIT STATUS") + text


def _see_also(command: Command) -> str:
    group = command.words[:1] if len(command.words) == 2 else ()
    near = [(*group, leaf) for leaf in catalog.leaves(group)] if group else []
    pages = [f"qga-{'-'.join(path)}" for path in near if path != command.words]
    return heading("SEE ALSO") + _links([("qga", 1), *((page, 1) for page in pages)])


def _links(pages: list[tuple[str, int]], but: str = "") -> str:
    pages = [*pages, *((f"qga-{topic}", 7) for topic in manual.TOPICS if topic != but)]
    return "".join(
        f".BR {plain(name)} ({section}){',' if index < len(pages) else ''}\n"
        for index, (name, section) in enumerate(pages, 1)
    )


def _root(commands: list[Command], date: str) -> str:
    return "".join([
        '.\\" Written by `make gen` from the command records: do not edit.\n',
        title("qga", 1, date, __version__),
        heading("NAME"),
        "qga \\- work inside virtual machines, through the QEMU guest agent\n",
        heading("SYNOPSIS"),
        f"{bold('qga')} [{italic('OPTION')}...] {italic('COMMAND')} [{italic('WORD')}...]\n",
        heading("DESCRIPTION"), ".PP\n".join(prose(part) for part in _ABOUT),
        heading("COMMANDS"),
        *(entry(bold(page_name(c)) + "(1)", c.summary + ".") for c in commands),
        heading("OPTIONS"), *(option(arg) for arg in COMMON),
        entry(f"{bold('--version')}, {bold('-V')}", "Print the version of qga."),
        heading("ENVIRONMENT"), *(entry(bold(name), says) for name, says in _ENVIRONMENT.items()),
        heading("FILES"), *(entry(italic(name), says) for name, says in _FILES.items()),
        heading("EXIT STATUS"), *(entry(bold(code), says) for code, says in _EXIT.items()),
        heading("SEE ALSO"), _links([("virsh", 1), ("qemu-ga", 8)]),
    ])  # fmt: skip


_ABOUT = (
    "The QEMU guest agent runs inside a virtual machine and takes commands from the host, without "
    "network, ssh or passwords. `qga` speaks all of them, decodes what comes back, and composes "
    "them into what people need: programs with live output and true exit codes, verified copies, "
    "a terminal, a freeze that cannot be left behind.",
    "The first word after the command names the guest, or several: see qga-targets(7). On a "
    "terminal the answer is a table, in a pipe it is tab-separated: see qga-output(7).",
    "The agent's own names of commands work too: `qga guest-fstrim web1`.",
)
_ENVIRONMENT = {
    "QGA_CONNECT": "The host when `--connect` is not given.",
    "QGA_OUTPUT": "The output format when `--output` is not given.",
    "QGA_TIMEOUT": "The time to give up after when `--timeout` is not given; not for `shell`, "
    "`connect`, `forward`, `rsh`.",
    "QGA_CHANNEL": "auto, always or never, when `--channel` is not given.",
    "NO_COLOR": "No colour on a terminal.",
    "FORCE_COLOR": "Colour even in a pipe.",
    "PAGER": "What `qga help` shows manual pages with, as man(1) does.",
    "LIBVIRT_DEFAULT_URI": "libvirt's own choice of a host, when nothing else says.",
}
_FILES = {
    "/etc/qga/config.toml": "Configuration for every user: see qga-configuration(7).",
    "~/.config/qga/config.toml": "Configuration of one user; what it says counts more.",
    "~/.cache/qga": "What completion has learned in the last minutes, and for an hour which guests "
    "take no ports.",
    "~/.local/state/qga": "Host keys of guests (`qga ssh config`), and what is open in Windows "
    "guests.",
    "/run/qga, $XDG_RUNTIME_DIR/qga": "Notes on the freezes of root, and of a user.",
}
