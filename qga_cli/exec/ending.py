"""What the end of a wrapper says: how the program ended, or why it has never begun."""

import re

from qga_cli.errors import BadReply, NoProgram, NotExecutable, QgaError, Refused
from qga_cli.exec import wrapper


class NoShell(QgaError):
    """The guest cannot run the wrapper: no POSIX shell; with `shell`, one without /proc or dd."""

    shell = False


def outcome(line: str) -> "tuple[int | None, int | None]":
    """Exit code or signal, from what stands behind the end mark.

    A shell's code for both is the same; it says which unless it is bash, and says nothing of INT
    and PIPE. Raises BadReply.
    """
    words = line.split()
    if not words or not words[0].isdigit() or len(words[0]) > 3:
        raise BadReply("the guest's shell does not tell how the program ended", details=line)
    code = int(words[0])
    killed = len(words) > 1 or code in (128 + 2, 128 + 13)
    return (None, code - 128) if killed and 128 < code <= 128 + 64 else (code, None)


def failure(program: str, code: "int | None", said: bytes) -> QgaError:
    """What it means that a wrapper has ended with this exit code, saying this, and no end mark."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    # Shells put their name and a line number in front.
    reason = re.sub(r"^\S+: (line )?\d+: ", "", lines[-1]) if lines else f"exit code {code}"
    if code == wrapper.NOT_FOUND:
        return NoProgram(f"no program {program!r} in the guest")
    if code == wrapper.NOT_EXECUTABLE:
        return NotExecutable(f"{program!r} is not executable in the guest")
    if code == wrapper.CANNOT:
        error = NoShell(reason)
        error.shell = True
        return error
    if code == wrapper.CONTEXT:
        return Refused(reason)
    return QgaError("the program's wrapper was killed in the guest", details=reason)
