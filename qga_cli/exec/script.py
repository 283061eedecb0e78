"""`qga script`: a file of the host, run by the interpreter that its first line names."""

import base64
import io
import os

from qga_cli.errors import UsageError
from qga_cli.exec.verb import answer, stdin
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_MOST = 32 * 2**20  # bytes; dd takes it in one block
_WINDOWS = 24_000  # of the 32,767 characters of a command line: the encoded script's share

# The script arrives in front of the standard input; dd takes exactly its length. Its file has
# no name any more when it is run: nothing can be left behind. A part of it, when we are killed on
# the way, must not run.
_STAGE = r"""
name=$1 size=$2 interpreter=$3 option=$4; shift 4
umask 077; set -C
for dir in /dev/shm /run /tmp /var/tmp; do [ -w $dir ] && break; done
exec 9>$dir/$name
dd bs=$size count=1 iflag=fullblock >&9 2>/dev/null
exec 9<$dir/$name; rm $dir/$name
umask 022
[ "$(wc -c </proc/self/fd/9)" -eq $size ] || exit 125
if [ "$option" ]; then exec "$interpreter" "$option" /proc/self/fd/9 "$@"; fi
exec "$interpreter" /proc/self/fd/9 "$@"
"""


def verb(job: Job) -> Finished:
    """Run a script of ours in the guest."""
    name = job.arguments["file"]
    words: list[str] = job.arguments.get("args", [])
    content = _read(name, job)
    given = None if name == "-" else stdin(job)
    if name.lower().endswith(".ps1") and not content.startswith(b"#!"):
        return answer(job, _powershell(name, content, words), given)
    interpreter, option = _interpreter(content)
    stage = ["sh", "-c", _STAGE, "qga-script", f"qga-{os.urandom(8).hex()}", str(len(content))]
    return answer(job, [*stage, interpreter, option, *words], _Chain(content, given))


class _Chain:
    """The script, then our own input."""

    def __init__(self, content: bytes, rest: "BinaryIO | None") -> None:
        self._content = io.BytesIO(content)
        self._rest = rest

    def read(self, count: int, /) -> bytes:
        """What is there, up to `count` bytes."""
        data = self._content.read(count)
        if data or self._rest is None:
            return data
        read = getattr(self._rest, "read1", self._rest.read)
        more: bytes = read(count)
        return more


def _read(name: str, job: Job) -> bytes:
    try:
        if name == "-":
            content = job.streams.stdin.read(_MOST + 1)
        else:
            with open(name, "rb") as file:
                content = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"cannot read the script {name}: {error.strerror}") from error
    if not content or len(content) > _MOST:
        raise UsageError(f"the script {name} is {'too long' if content else 'empty'}")
    return content


def _interpreter(content: bytes) -> tuple[str, str]:
    """The program of the #! line and its one argument, as Linux reads it; sh without."""
    line, _, _ = content.partition(b"\n")
    if not line.startswith(b"#!"):
        return "/bin/sh", ""
    words = os.fsdecode(line[2:]).strip().split(maxsplit=1)
    if not words:
        raise UsageError("the script's first line names no interpreter")
    return words[0], words[1] if len(words) > 1 else ""


def _powershell(name: str, content: bytes, words: list[str]) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the script {name} is not UTF-8") from error
    given = " ".join("'" + word.replace("'", "''") + "'" for word in words)
    encoded = base64.b64encode(f"& {{\n{text}\n}} {given}\n".encode("utf-16-le")).decode()
    if len(encoded) > _WINDOWS:
        raise UsageError(
            f"the script {name} is too long for a Windows command line",
            hint="`qga cp` copies it, then `qga exec VM -- powershell -File`",
        )
    return ["powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]
