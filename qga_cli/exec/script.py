"""`qga script`: a file of the host, run by the interpreter that its first line names."""

from __future__ import annotations

import io
import os

from qga_cli import hostpath
from qga_cli.agent.abilities import is_windows
from qga_cli.errors import NoProgram, Unsupported, UsageError
from qga_cli.exec.verb import answer, standard_input, surroundings
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from qga_cli.windows.script import Script


def run_script(
    job: Job,
    *,
    file: str,
    kill_after: float,
    channel: str,
    args: Sequence[str] = (),
    env: Sequence[str] = (),
    env_file: Sequence[str] = (),
    clean_env: bool = False,
    workdir: str | None = None,
    user: str | None = None,
    no_stdin: bool = False,
) -> Finished:
    """Run a script of ours in the guest."""
    content = _read(file, job)
    given = None if no_stdin or file == "-" else standard_input(job)
    around = surroundings(env, env_file, workdir, user, clean=clean_env)

    def on_windows(name: str, given: BinaryIO | None) -> Finished:
        program = _for_windows(job, name, content, args)
        return answer(job, program, given, around, kill_after, channel)

    if file.lower().endswith((".cmd", ".bat", ".ps1")) and not content.startswith(b"#!"):
        return on_windows(file, given)
    argv = ["/bin/sh", "-c", script("exec/script"), "qga-script", str(len(content))]
    argv += [*_interpreter(content), "/proc/self/fd/9", *args]
    # A name for its file that nobody sees in a command line.
    secret = f"qga-{os.urandom(16).hex()}\n".encode()
    try:
        chain = _Chain(secret + content, given)
        return answer(job, argv, chain, around, kill_after, channel)
    except (NoProgram, UsageError) as error:
        if job.agent.system != "mswindows":  # which is known by now
            raise
        if file != "-":
            raise Unsupported(
                f"{job.agent.name} runs Windows: its scripts are .cmd, .bat or .ps1"
            ) from error
        return on_windows("stdin.cmd", None)


def _for_windows(job: Job, name: str, content: bytes, args: Sequence[str]) -> Script:
    """What runs it from a file there: by PowerShell if it is a .ps1, else by cmd."""
    from qga_cli.windows.script import Script

    if not is_windows(job.agent):
        raise UsageError(
            f"{name} is a script for Windows, and {job.agent.name} runs something else"
        )
    return Script(name, content, args)


class _Chain:
    """The script, then our own input."""

    def __init__(self, content: bytes, rest: BinaryIO | None) -> None:
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
            content = hostpath.read_whole(job.streams.stdin, "the script")
        else:
            content = hostpath.content(name, f"the script {name}")
    except OSError as error:
        raise UsageError(f"cannot read the script {name}: {error.strerror}") from error
    if not content:
        raise UsageError(f"the script {name} is empty")
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
