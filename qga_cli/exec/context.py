"""What a program in the guest finds around it: words, environment, directory, user, input.

All of it is one line of shell text that the wrapper evaluates, made of constants and of what
our own user gave, quoted. It goes by input-data, which the agent does not log; argv it does.
"""

import os
import re

from qga_cli import wire
from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qga_cli.agent import Agent

NO_INPUT, INLINE, STREAMED = "exec </dev/null", "", "exec 8<>/proc/self/fd/0"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]*))?")
# An agent started by hand, or by an init that clears the environment, has next to nothing.
_DEFAULTS = (
    f"PATH=${{PATH:-{_PATH}}} LANG=${{LANG:-C.UTF-8}} TERM=${{TERM:-dumb}} HOME=${{HOME:-/root}}; "
    "export PATH LANG TERM HOME"
)


class Context:
    """Where a program runs. `env` is merged, or with `clean_env` all there is."""

    def __init__(
        self,
        *,
        env: "Mapping[str, str] | None" = None,
        clean_env: bool = False,
        workdir: str = "",
        user: str = "",
    ) -> None:
        self._env = env or {}
        self._clean_env = clean_env
        self._workdir = workdir
        self._user = user

    @property
    def is_plain(self) -> bool:
        """Whether a program started without a shell runs in this context too."""
        return not (self._env or self._clean_env or self._workdir or self._user)

    @property
    def environment(self) -> list[str] | None:
        """The `env` of guest-exec; None leaves the agent's own environment."""
        return [f"PATH={_PATH}"] if self._clean_env else None

    def line(self, stdin: str, argv: "Sequence[str]" = ()) -> bytes:
        """The line for the wrapper. `argv` replaces the words it was started with."""
        parts = [stdin] if stdin else []
        if argv:
            parts.append("set -- " + " ".join(quote(word) for word in argv))
        parts.append(_DEFAULTS)
        if self._user:
            parts += _as_user(self._user)
        odd = []
        for name, value in self._env.items():
            if _NAME.fullmatch(name):
                parts.append(f"export {name}={quote(value)}")
            else:
                odd.append(quote(f"{name}={value}"))
        if odd:  # no variable of the shell's can have such a name
            parts.append(f'set -- env {" ".join(odd)} "$@"')
        if self._workdir:
            parts.append(f"CDPATH= cd -P -- {quote(self._workdir)} || exit 96")
        return ("; ".join(parts) + "\n").encode("utf-8", "surrogateescape")


def request(
    agent: "Agent", text: str, name: str, argv: "Sequence[str]", context: Context, stdin: str
) -> tuple[list[str], bytes]:
    """The words that start `argv` inside a script of ours, and the line it reads."""
    if argv[0].startswith("-"):
        raise UsageError(
            f"a program's name cannot begin with a dash: {argv[0]!r}",
            hint="options of ours stand before the guest's name",
        )
    plain = is_text(argv)
    words = ["sh", "-c", text, name, *(argv if plain else [])]
    line = context.line(stdin, () if plain else argv)
    size = len(line) * 4 // 3 + len(wire.encode("guest-exec", {"arg": words}))
    limit = agent.transport.write_chunk
    if size > limit:
        raise UsageError(
            f"this command line takes {size:,} bytes, one request carries {limit:,}",
            hint="`qga script` runs a file of any size, `qga cp` copies one",
        )
    return words, line


def quote(text: str) -> str:
    """A word of shell text without a newline, which ends the line that the wrapper reads."""
    if "\0" in text:
        raise UsageError("no program takes a NUL byte in its arguments or environment")
    return "'" + text.replace("'", "'\\''").replace("\n", "'\"$nl\"'") + "'"


def is_text(words: "Sequence[str]") -> bool:
    """Whether JSON can carry them: no byte that os.fsdecode could not decode."""
    return not any("\ud800" <= char <= "\udfff" for word in words for char in word)


def variables(
    pairs: "Sequence[str]", files: "Sequence[str]", own: "Mapping[str, str]"
) -> dict[str, str]:
    """The variables of -e and --env-file: NAME=VALUE, or NAME for that of our `own` environment.

    A file has one on each line; empty lines and those beginning with # say nothing.
    """
    words: list[str] = []
    for path in files:
        from qga_cli import hostpath  # for --env-file alone

        try:
            number = hostpath.open_file(path, os.O_RDONLY)
            with open(number, encoding="utf-8", errors="surrogateescape") as file:
                lines = [line.rstrip("\r\n") for line in file]
        except OSError as error:
            raise UsageError(f"--env-file: cannot read {path}: {error.strerror}") from error
        words += [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, str] = {}
    for word in (*words, *pairs):
        name, equals, value = word.partition("=")
        if not name or any(char.isspace() for char in name):
            raise UsageError(f"{word!r} is no variable", hint="write NAME=VALUE, or NAME")
        if equals:
            found[name] = value
        elif name in own:
            found[name] = own[name]
    return found


def _as_user(user: str) -> list[str]:
    match = _USER.fullmatch(user)
    if match is None:
        raise UsageError(f"-u: {user!r} is not USER or USER:GROUP")
    name, group = match.groups()
    parts, ways = [], {}
    if name.isdigit():
        groups = f"--regid {group} --clear-groups" if group else "--clear-groups"
    else:
        # ~name without a home directory stays as it is: the cheapest question whether it exists.
        parts = [
            f"HOME=~{name} USER={name} LOGNAME={name}; export HOME USER LOGNAME",
            f'case $HOME in "~"*) echo "no user {name}" >&2; exit 96; esac',
        ]
        ways["runuser"] = f"-u {name}{f' -g {group}' if group else ''} --"
        if not group:  # su cannot choose one
            ways["su"] = f"""-s /bin/sh {name} -c 'exec "$@"' -- sh"""
        groups = f"--regid {group or f'$(id -g {name})'} --init-groups"
    ways["setpriv"] = f"--reuid {name} {groups}"
    choice = "; el".join(
        f'if command -v {tool} >/dev/null; then set -- {tool} {options} "$@"'
        for tool, options in ways.items()
    )
    needed = " or ".join(ways)
    parts.append(f'{choice}; else echo "becoming {user} needs {needed}" >&2; exit 96; fi')
    return parts
