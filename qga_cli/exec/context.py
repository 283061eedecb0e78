"""What a program in the guest finds around it: words, environment, directory, user, input.

All of it is one line of shell text that the wrapper evaluates, made of constants and of what
our own user gave, quoted. It goes by input-data, which the agent does not log; argv it does.

The line sets the program's words and the directory, and defines a function, `qga_around`, which
sets the variables. The wrapper calls it in the last subshell, in front of the program, so that no
variable of the user's is one of the wrapper's, and none of its tools is looked for in his PATH.
Variables of ours begin with qga_.
"""

from __future__ import annotations

import codecs
import re

from qga_cli import wire
from qga_cli.errors import UsageError
from qga_cli.inside import loaded, loaded_at_once, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qga_cli.agent import Agent

NO_INPUT, INLINE, STREAMED = "exec </dev/null", "", "exec 8<>/proc/self/fd/0"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names of directory servers too: deploy@corp.example, CORP\\deploy, svc$. The guest knows them.
_NO = r"\x00-\x1f\x7f:/\[\];|=,+*?<>\"'`&!#()~{}"
_ONE = rf"[^\s{_NO}-][^{_NO}]*"
_USER = re.compile(rf"({_ONE})(?::({_ONE}))?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")  # a shell knows it as ~NAME
# Variables that a shell has for itself, or lets nobody set.
_SHELLS = re.compile(
    r"OPTIND|PPID|E?UID|LINENO|SHELLOPTS|BASH\w*|IFS|PS4|_|RANDOM|SECONDS|GROUPS|FUNCNAME|DIRSTACK"
    r"|HISTCMD|POSIXLY_CORRECT|PWD|OLDPWD|SHLVL|qga_\w*"
)
# An agent started by hand, or by an init that clears the environment, has next to nothing.
_DEFAULTS = (
    f"PATH=${{PATH:-{_PATH}}} LANG=${{LANG:-C.UTF-8}} TERM=${{TERM:-dumb}} HOME=${{HOME:-/root}}; "
    "export PATH LANG TERM HOME"
)
_IDENTITY = (
    'export HOME="${qga_home:-/}"; unset USER LOGNAME; '
    'if [ "$qga_name" ]; then export USER="$qga_name" LOGNAME="$qga_name"; fi; '
    '[ -z "$qga_kept" ] || export $qga_kept'
)


class Context:
    """Where a program runs. `env` is merged, or with `clean_env` all there is."""

    def __init__(
        self,
        *,
        env: Mapping[str, str] | None = None,
        clean_env: bool = False,
        workdir: str = "",
        user: str = "",
    ) -> None:
        self.env: Mapping[str, str] = env or {}
        self.clean_env = clean_env
        self.workdir = workdir
        self.user = user

    @property
    def is_plain(self) -> bool:
        """Whether a program started without a shell runs in this context too."""
        return not (self.env or self.clean_env or self.workdir or self.user)

    @property
    def environment(self) -> list[str] | None:
        """The `env` of guest-exec; None leaves the agent's own environment."""
        return [f"PATH={_PATH}"] if self.clean_env else None

    def line(self, stdin: str, argv: Sequence[str] = ()) -> bytes:
        """The line for the wrapper; without `argv` it has its program's words already."""
        parts = [stdin] if stdin else []
        if argv:
            parts.append("set -- " + " ".join(quote(word) for word in argv))
            if argv[0] == "sh":  # as in Agent.call
                parts.append('command -v sh >/dev/null || { shift; set -- /bin/sh "$@"; }')
        parts.append(_DEFAULTS)
        around = ['TMPDIR=${qga_tmp-$TMPDIR}; [ "$TMPDIR" ] || unset TMPDIR']  # see here.sh
        if self.user:
            parts += _as_user(self.user)
            around.append(_IDENTITY)
        odd = []
        for name, value in self.env.items():
            if _NAME.fullmatch(name) and not _SHELLS.fullmatch(name):
                around.append(f"export {name}={quote(value)}")
            else:
                odd.append(quote(f"{name}={value}"))
        if odd:  # no variable of the shell's can have such a name
            parts.append(f'set -- "$(command -v env)" {" ".join(odd)} "$@"')
        if "PATH" in self.env:
            parts.append(f"qga_path={quote(self.env['PATH'])}")
        parts.append(f"qga_around() {{ {'; '.join(around)}; }}")
        if self.workdir:
            parts.append(f"CDPATH= cd -P -- {quote(self.workdir)} || exit 96")
        return ("; ".join(parts) + "\n").encode("utf-8", "surrogateescape")


def request(
    agent: Agent,
    text: str,
    name: str,
    argv: Sequence[str],
    context: Context,
    stdin: str,
    first: str = "",
    *,
    reads: bool = True,
    lines: bool = False,
) -> tuple[list[str], bytes]:
    """The words that start `argv` inside a script of ours, and what its shell reads: the script,
    the lines of `first`, the program's context.

    The program's words are in there too. So what others see of us is a shell called `name`. Where
    nothing `reads` what comes after, the wrapper has `first`, its end mark, and the context in
    variables; with `lines` a script reads these as lines still.
    """
    if argv[0].startswith("-"):
        raise UsageError(
            f"a program's name cannot begin with a dash: {argv[0]!r}",
            hint="options of ours stand before the guest's name",
        )
    around = context.line(stdin, argv)
    if reads:
        words, source = loaded(name, text)
        given = source + (f"{first}\n".encode() if first else b"") + around
    elif lines:
        told = f"{first}\n{around.decode('utf-8', 'surrogateescape')}"
        words, given = loaded_at_once(name, f"exec <<\\#\n{told}#\n{text}")
    else:
        known = quote(around.decode("utf-8", "surrogateescape").removesuffix("\n"))
        words, given = loaded_at_once(name, text, qga_end=first, qga_context=known)
    size = len(given) * 4 // 3 + len(wire.encode("guest-exec", {"arg": words}))
    limit = agent.transport.write_chunk
    if size > limit and not reads:  # quoted once more it may be just too long
        return request(agent, text, name, argv, context, stdin, first)
    if size > limit:
        raise UsageError(
            f"this command line takes {size:,} bytes, one request carries {limit:,}",
            hint="`qga script` runs a file of any size, `qga cp` copies one",
        )
    return words, given


def quote(text: str) -> str:
    """A word of shell text without a newline, which ends the line that the wrapper reads."""
    if "\0" in text:
        raise UsageError("no program takes a NUL byte in its arguments or environment")
    return "'" + text.replace("'", "'\\''").replace("\n", "'\"$qga_nl\"'") + "'"


def variables(pairs: Sequence[str], files: Sequence[str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables of -e and --env-file: NAME=VALUE, or NAME for that of our `own` environment.

    A file has one on each line; empty lines and those beginning with # say nothing.
    """
    words = [(word, "") for word in pairs]
    of_files: list[tuple[str, str]] = []  # and where in them
    for path in files:
        from qga_cli import hostpath  # for --env-file alone

        try:
            text = hostpath.content(path, f"--env-file {path}")
            text = text.removeprefix(codecs.BOM_UTF8)  # as some editors write it
            lines = text.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
        except OSError as error:
            raise UsageError(f"--env-file: cannot read {path}: {error.strerror}") from error
        of_files += [
            (line, f"--env-file: line {number} of {path}")
            for number, line in enumerate(lines, 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
    found: dict[str, str] = {}
    for word, place in (*of_files, *words):
        name, equals, value = word.partition("=")
        if not name or any(char.isspace() for char in name):
            # Without the value, and of a file's line nothing: it may be a secret.
            raise UsageError(
                f"{place or repr(name)} is no variable", hint="write NAME=VALUE, or NAME"
            )
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
    if _PLAIN.fullmatch(name):
        # ~name without a home directory stays as it is: the cheapest question whether it exists.
        parts = [
            f"qga_name={name} qga_uid={name} qga_home=~{name}",
            f'case $qga_home in "~"*) echo "no user {name}" >&2; exit 96; esac',
        ]
        own = f"$(id -g {name})"
    else:
        parts = [f"qga_user={quote(name)}", f"eval {quote(script('exec/user'))}"]
        own = "$qga_gid"
    wanted = quote(group) if group else ""
    if group and not group.isdigit():
        parts.insert(0, f"qga_group={wanted}; eval {quote(script('exec/group'))}")
    ways = {}
    if not group or not group.isdigit():  # runuser takes a name only
        options = f'-u "$qga_name"{f" -g {wanted}" if group else ""} --'
        ways["runuser"] = f"""{options} /bin/sh -c 'eval "$QGA_BECOME"' "$0" $qga_count"""
    if not group:  # su cannot choose one
        ways["su"] = """-s /bin/sh "$qga_name" -c 'eval "$QGA_BECOME"' -- "$0" $qga_count"""
    gid = wanted or f'"{own}"'
    ways["setpriv"] = f'--reuid "$qga_uid" --regid {gid} --init-groups "$@"'
    nameless = {"setpriv": ways["setpriv"].replace("--init-groups", "--clear-groups")}
    known = _become(user, ways)
    if name.isdigit():
        known = f'if [ "$qga_name" ]; then {known}; else {_become(user, nameless)}; fi'
    return [*parts, known]


def _become(user: str, ways: Mapping[str, str]) -> str:
    """Shell text that puts in front of the words whichever tool is there.

    setpriv turns into the program. The others stay beside it, and must not show its words.
    """
    texts = f"QGA_BECOME={quote(script('exec/become'))} qga_hide={quote(script('exec/words'))}"
    choice = ""
    for tool, options in ways.items():
        is_there, hide = f"command -v {tool} >/dev/null", 'eval "$qga_hide"; '
        if tool == "setpriv":  # busybox has one that changes no user
            is_there, hide = "case $(setpriv --help 2>&1) in *reuid*) ;; *) false ;; esac", ""
        choice += f'if {is_there}; then {hide}set -- "$(command -v {tool})" {options}; el'
    lack = quote(f"becoming {user} needs {' or '.join(ways)} of util-linux")
    return f"{texts}; {choice}se echo {lack} >&2; exit 96; fi"
