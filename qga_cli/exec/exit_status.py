"""What the end of a wrapper says: how the program ended, or why it has never begun."""

from __future__ import annotations

import re

from qga_cli.errors import CONFINED, DENIED, BadReply, NoProgram, NotExecutable, QgaError, Refused
from qga_cli.exec import wrapper

# What only a shell can do: guests rarely have programs of these names.
_SHELL_WORDS = (
    ".", ":", "alias", "bg", "cd", "eval", "exec", "exit", "export", "fg", "for", "hash", "if",
    "jobs", "popd", "pushd", "read", "readonly", "set", "shopt", "source", "trap", "type",
    "ulimit", "umask", "unset", "wait", "while",
)  # fmt: skip


# The wrapper itself; the program may run on.
WRAPPER_GONE = "qga's shell around the program was killed in the guest: how it ends is not known"


class NoShell(QgaError):
    """The guest cannot run the wrapper: it has no POSIX shell."""


class NoProc(NoShell):
    """It has one, and no /proc or no dd."""


def outcome(line: str) -> tuple[int | None, int | None]:
    """Exit code or signal, from what follows the end mark.

    A shell's code for both is the same; it says which unless it is bash, and says nothing of INT
    and PIPE. Of ksh93 and yash a signal is 256 and 384 + N. Raises BadReply.
    """
    words = line.split()
    if not words or not words[0].isdigit() or len(words[0]) > 3:
        raise BadReply("the guest's shell does not tell how the program ended", details=line)
    code = int(words[0])
    if code > 255:
        return None, code & 127
    killed = len(words) > 1 or code in (128 + 2, 128 + 13)
    return (None, code - 128) if killed and 128 < code <= 128 + 64 else (code, None)


def failure(program: str, code: int | None, said: bytes) -> QgaError:
    """What it means that a wrapper has ended with this exit code, saying this, and no end mark."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    # Shells put their name and a line number in front, busybox's the number behind "cd".
    reason = (
        re.sub(r"^\S+: (?:eval: )?(cd: )?(?:line )?\d+: (?:eval: )?", r"\1", lines[-1])
        if lines
        else f"exit code {code}"
    )
    if code == wrapper.NOT_FOUND:
        return NoProgram(f"no program {program!r} in the guest", hint=_shell_hint(program))
    if code == wrapper.NOT_EXECUTABLE:
        return _not_executable(program, reason if lines else "")
    if code == wrapper.CANNOT:
        return NoProc(reason)
    if code == wrapper.CONTEXT:
        # dash: can't cd to /x; bash: /x: No such file or directory; busybox says both.
        entered = re.fullmatch(r"cd: (?:can't cd to )?([^:]*)(?:: (.*))?", reason)
        why = (entered[2] or "") if entered else ""
        if entered and why in ("", "No such file or directory"):
            return Refused(f"no folder {entered[1]} to work in (--workdir)", desc=reason)
        return Refused(f"{reason} (--workdir)" if entered else reason)
    if lines:  # a full disk, no more processes: it has complained
        return QgaError(f"qga's shell around the program has failed in the guest: {reason}")
    return QgaError(WRAPPER_GONE, details=reason)


def unstarted(program: str, code: int, said: str) -> QgaError:
    """What it means that the wrapper's shell has found `program` and could not execute it.

    `said` is the shell's own complaint, its name and line number left out.
    """
    if code == wrapper.NOT_FOUND and "/" in program:
        return NoProgram(f"{program!r} cannot be started: what its #! line names, or its loader, "
                         "is not in the guest")  # fmt: skip
    if code == wrapper.NOT_FOUND:  # the shell has a word of this name, and no program
        return failure(program, code, b"")
    return _not_executable(program, said.rpartition(": ")[2])


def _not_executable(program: str, reason: str) -> NotExecutable:
    return NotExecutable(
        f"{program!r} is not executable in the guest{f': {reason}' if reason else ''}",
        hint=CONFINED if reason == DENIED else "",
    )


def _shell_hint(program: str) -> str:
    """What to type, where the words were meant for a shell."""
    if program == "cd":
        return "cd is a word of the shell; -w DIR runs a program in a folder"
    if program in _SHELL_WORDS:
        return f"{program} is a word of the shell: `qga exec VM -- sh -c '{program} ...'`"
    import shlex  # 3 ms, for an error alone

    name, equals, _ = program.partition("=")
    if equals and name.isidentifier():
        return f"there is no shell: -e {shlex.quote(program)} sets a variable"
    if not re.search(r"[\s;|&<>]", program):
        return ""
    try:
        words = shlex.split(program)
    except ValueError:
        words = []
    there = f"there is no shell: `qga exec VM -- sh -c {shlex.quote(program)}`"
    if len(words) < 2 or re.search(r"[;|&<>$*?`~]", program):
        return there
    return f"there is no shell: `qga exec VM -- {shlex.join(words)}`"
