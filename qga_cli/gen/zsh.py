"""The zsh script: one function of `_arguments` for each command, and what asks qga."""

from qga_cli import catalog, spec
from qga_cli.gen import grammar
from qga_cli.spec import Arg, Command

_COMMON = '"${{_qga_common{}[@]}}"'  # quoted, for this runs under the options of whoever sources it


def script() -> str:
    """completions/_qga."""
    shared = grammar.CommonOptions(
        {"": _options(None), **{command.name: _options(command) for command in catalog.walk()}}
    )
    groups = "".join(
        f"typeset -ga _qga_common{number}=(\n{''.join(f'    {one}{chr(10)}' for one in specs)})\n"
        for number, specs in enumerate(shared.groups)
    )
    sets = "".join(
        f"typeset -ga _qga_set{number}=({' '.join(map(_COMMON.format, groups))})\n"
        for number, groups in enumerate(shared.sets)
    )
    heads = "".join(_group(path, shared) for path in grammar.paths() if grammar.children(path))
    leaves = "".join(_leaf(command, shared) for command in catalog.walk())
    return (
        f"#compdef qga\n{grammar.header('zsh')}\n"
        f"# Options that several commands have, and the sets that commands have of them.\n"
        f"{groups}{sets}\n{heads}{leaves}{grammar.engine('engine.zsh')}"
    )


def _group(path: tuple[str, ...], shared: grammar.CommonOptions) -> str:
    """A function that offers the words that go on, and hands over to theirs."""
    words = grammar.children(path).items()
    known = "".join(f" \\\n        {_quote(f'{_colon(word)}:{says}')}" for word, says in words)
    specs = "" if path else f"local -a specs=({_set('', shared)})\n    "
    return f"{_name(path)}() {{\n    {specs}_qga_group {'_'.join(('_qga', *path))}{known}\n}}\n\n"


def _leaf(command: Command, shared: grammar.CommonOptions) -> str:
    specs = [_set(command.name, shared)]
    slots = grammar.positionals(command)
    ends = any(arg.kind == spec.WORDS for arg in slots)
    other = ""
    if slots and grammar.kind(command, slots[-1]) == grammar.HERE:
        slots, ends, other = slots[:-1], False, "_qga_other && return\n    "
    for index, arg in enumerate(slots, 1):
        where = "*::" if arg.many and arg.kind == spec.WORDS else "*" if arg.many else str(index)
        label = _colon(arg.metavar or arg.name)
        specs.append(_quote(f"{where}:{label}:{_action(command, arg)}"))
    flags = "-s -S -A '-*'" if ends else "-s -S"
    listed = " \\\n        ".join([f"_arguments {flags}", *specs])
    return f"{_name(command.words)}() {{\n    {other}{listed}\n}}\n\n"


def _set(key: str, shared: grammar.CommonOptions) -> str:
    """The words of the options of a command, or those that may stand before any."""
    return " \\\n        ".join([f"$_qga_set{shared.of[key]}", *shared.own[key]])


def _options(command: Command | None) -> list[str]:
    found = ["'(- *)'{-h,--help}'[Show help]'"]
    for arg in grammar.options(command):
        value = f":{_colon(arg.metavar or arg.name)}:{_action(command, arg)}"
        if not arg.takes_value:
            value = ""
        repeat = arg.many or arg.kind == spec.COUNT
        long = f"--{arg.name}" + ("=" if value else "")
        says = "[" + _colon(arg.help).replace("[", "\\[").replace("]", "\\]") + "]"
        if not arg.short:
            found.append(_quote(("*" if repeat else "") + long + says + value))
            continue
        first = "*" if repeat else f"({arg.short} --{arg.name})"
        short = arg.short + ("+" if value else "")
        found.append(f"{_quote(first)}{{{short},{long}}}{_quote(says + value)}")
    return found


def _action(command: Command | None, arg: Arg) -> str:
    kind = grammar.kind(command, arg)
    if arg.offers:
        return "_qga_offer " + _colon(",".join(arg.offers))
    if kind.startswith("|"):
        return "(" + kind[1:].replace("|", " ") + ")"
    if kind.startswith(","):
        return "_values -s , column " + kind[1:].replace(",", " ")
    if kind in (spec.TEXT, ""):
        return " "
    return {spec.HOST_PATH: "_files", "uri": "_qga_uri", spec.KEY: "_qga_key"}.get(
        kind, f"_qga_ask {kind}"
    )


def _name(path: tuple[str, ...]) -> str:
    return "_".join(("_qga", *path)) if path else "_qga_root"


def _colon(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
