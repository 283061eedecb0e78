"""The zsh script: one function of `_arguments` for each command, and what asks qga."""

from qga_cli import catalog, spec
from qga_cli.gen import grammar
from qga_cli.spec import Arg, Command


def script() -> str:
    """completions/_qga."""
    options = {command.name: _options(command) for command in catalog.walk()}
    groups, has = grammar.share(options)
    common = "".join(
        f"typeset -ga _qga_common{number}=(\n{''.join(f'    {one}{chr(10)}' for one in specs)})\n"
        for number, specs in enumerate(groups)
    )
    leaves = "".join(
        _leaf(
            command,
            [one for one in options[command.name]
             if not any(one in groups[number] for number in has[command.name])],
            [f'"${{_qga_common{number}[@]}}"' for number in has[command.name]],
        )
        for command in catalog.walk()
    )  # fmt: skip
    heads = "".join(_group(path) for path in grammar.paths() if grammar.children(path))
    head = "#compdef qga\n" + grammar.header("zsh")
    return (
        head
        + "\n# Options that several commands have.\n"
        + common
        + "\n"
        + heads
        + leaves
        + grammar.engine("engine.zsh")
    )


def _group(path: tuple[str, ...]) -> str:
    """A function that offers the words that go on, and hands over to theirs."""
    words = grammar.children(path)
    go = "_".join(("_qga", *path))
    listed = "".join(
        f"        {_quote(f'{_colon(word)}:{says}')}\n" for word, says in words.items()
    )
    specs = "".join(f"        {spec} \\\n" for spec in _options(None)) if not path else ""
    other = "" if path else " || { [[ $PREFIX ]] && _qga_ask alias }"
    return (
        f"{_name(path)}() {{\n"
        f"    local -a known=(\n{listed}    )\n"
        f"    _arguments -C -S -A '-*' \\\n{specs}"
        "        '1:command:->word' '*:: :->rest' && return\n"
        f"    case $state in\n"
        f"        word) _describe -t commands command known{other} ;;\n"
        f"        rest) (( $+functions[{go}_$words[1]] )) && {go}_$words[1] ;;\n"
        "    esac\n}\n\n"
    )


def _leaf(command: Command, specs: list[str], common: list[str]) -> str:
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
    listed = " \\\n        ".join([f"_arguments {flags}", *common, *specs])
    return f"{_name(command.words)}() {{\n    {other}{listed}\n}}\n\n"


def _options(command: Command | None) -> list[str]:
    found = ["'(- *)'{-h,--help}'[Show help]'"]
    for arg in grammar.options(command):
        value = f":{_colon(arg.metavar or arg.name)}:{_action(command, arg)}"
        if not grammar.takes_value(arg):
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
