"""Folders to and from a Windows guest, as one stream of tar.exe, which Windows has since 1803.

A folder is filled as it comes, file by file: cmd has no way to put one in the place of another.
"""

from __future__ import annotations

from qga_cli.agent.program import Completed
from qga_cli.errors import Refused
from qga_cli.exec.run import run
from qga_cli.exec.sinks import drop
from qga_cli.windows.paths import full

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from qga_cli.agent import Agent
    from qga_cli.interrupt import Interrupt
    from qga_cli.windows.files import WindowsFiles

_TALK = 64 * 1024  # bytes kept of what tar says


def has_tar(files: WindowsFiles) -> bool:
    """Whether the guest can pack and unpack; if not, folders go file by file."""
    found = files.has("tar.exe")
    if not found:
        agent = files.private.calls.agent
        agent.trace(1, f"{agent.name}: no tar.exe: file by file")
    return found


def pack(
    agent: Agent,
    interrupt: Interrupt,
    folder: str,
    name: str,
    stdout: Callable[[bytes], object],
    *,
    follow: bool,
) -> Completed:
    """Have the archive of `name` in a folder written to `stdout`."""
    words = ["-L"] if follow else []
    # In this format names are UTF-8, and sizes have no limit.
    argv = ["tar.exe", "--format", "pax", *words, "-cf", "-", "-C", full(folder), name]
    return _run(agent, interrupt, argv, None, stdout)


def unpack(agent: Agent, interrupt: Interrupt, folder: str, stream: BinaryIO) -> None:
    """Fill a folder. Raises Refused with what tar says."""
    # What has no pax header has its name in UTF-8 too.
    argv = ["tar.exe", "--options", "hdrcharset=UTF-8", "-xf", "-", "-C", folder]
    done = _run(agent, interrupt, argv, stream, drop)
    if done.code:
        raise Refused(said_by(done)).of(agent.target)


def said_by(done: Completed) -> str:
    """Why tar has failed."""
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    return "; ".join(lines[:3]) or f"tar.exe has ended with exit code {done.exitcode}"


def _run(
    agent: Agent,
    interrupt: Interrupt,
    argv: list[str],
    stdin: BinaryIO | None,
    stdout: Callable[[bytes], object],
) -> Completed:
    said = bytearray()
    done = run(agent, argv, stdin=stdin, stdout=stdout,
               stderr=lambda data: said.extend(data[: _TALK - len(said)]),
               interrupt=interrupt)  # fmt: skip
    done.stderr = bytes(said)
    return done
