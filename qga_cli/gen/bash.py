"""The bash script: a table of the commands, and an engine that reads it."""

from qga_cli import catalog
from qga_cli.gen import grammar
from qga_cli.spec import Command


def script() -> str:
    """completions/qga.bash."""
    options = {" ".join(path): _options(_command(path)) for path in grammar.paths()}
    groups, has = grammar.share(options)
    names = {key: [f"$_qga_common{number}" for number in has[key]] for key in options}
    own = {
        key: [word for word in words if not any(word in groups[n] for n in has[key])]
        for key, words in options.items()
    }
    common = "".join(
        f"_qga_common{number}='{' '.join(words)}'\n" for number, words in enumerate(groups)
    )
    cases = [_case(path, own[" ".join(path)], names[" ".join(path)]) for path in grammar.paths()]
    table = "# Options that several commands have, NAME=KIND.\n" + common + "\n"
    table += "# What goes on from `qga $1`.\n_qga_table() {\n    case $1 in\n"
    table += "".join(cases) + "    esac\n}\n"
    return grammar.header("bash") + "\n" + table + "\n" + grammar.engine("engine.bash")


def _command(path: tuple[str, ...]) -> Command | None:
    return None if grammar.children(path) else catalog.load(path)


def _case(path: tuple[str, ...], own: list[str], common: list[str]) -> str:
    words = " ".join(grammar.children(path))
    command = _command(path)
    places = " ".join(grammar.slot(command, arg) for arg in grammar.positionals(command))
    return (
        f"        '{' '.join(path)}')\n"
        f"            children='{words}' places='{places}'\n"
        f"            options='{' '.join(own)} '\"{' '.join(common)}\" ;;\n"
    )


def _options(command: Command | None) -> list[str]:
    found = [
        f"{name}={grammar.kind(command, arg)}" if grammar.takes_value(arg) else name
        for arg in grammar.options(command)
        for name in grammar.names(arg)
    ]
    return [*found, "--help", "-h"]
