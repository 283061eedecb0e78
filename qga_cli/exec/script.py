"""`qga script`: a file of the host, run by the interpreter that its first line names."""

import base64
import io
import os

from qga_cli import hostpath
from qga_cli.errors import UsageError
from qga_cli.exec.verb import answer, stdin
from qga_cli.inside import script
from qga_cli.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_MOST = 32 * 2**20  # bytes; dd takes it in one block
_WINDOWS = 24_000  # of the 32,767 characters of a command line: the encoded script's share


def verb(job: Job) -> Finished:
    """Run a script of ours in the guest."""
    name = job.arguments["file"]
    words: list[str] = job.arguments.get("args", [])
    content = _read(name, job)
    given = None if name == "-" else stdin(job)
    if name.lower().endswith(".ps1") and not content.startswith(b"#!"):
        return answer(job, _powershell(name, content, words), given)
    argv = ["/bin/sh", "-c", script("exec/script"), "qga-script", str(len(content))]
    argv += [*_interpreter(content), "/proc/self/fd/9", *words]
    # A name for its file that nobody sees in a command line.
    secret = f"qga-{os.urandom(16).hex()}\n".encode()
    return answer(job, argv, _Chain(secret + content, given))


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
            with open(hostpath.open_file(name, os.O_RDONLY), "rb") as file:
                content = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"cannot read the script {name}: {error.strerror}") from error
    if not content or len(content) > _MOST:
        raise UsageError(f"the script {name} is {'too long' if content else 'empty'}")
    return content


def _interpreter(content: bytes) -> list[str]:
    """The program of the #! line and its one argument, as Linux reads it; sh without."""
    line, _, _ = content.partition(b"\n")
    if not line.startswith(b"#!"):
        return ["/bin/sh"]
    words = os.fsdecode(line[2:]).strip().split(maxsplit=1)
    if not words:
        raise UsageError("the script's first line names no interpreter")
    return words


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
