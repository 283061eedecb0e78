"""What TAB offers beyond the words baked into completions/: guests, and what is inside them.

`qga __complete KIND VALUE WORD...` prints what VALUE, a word of that kind behind the WORDs, may
become: one candidate a line, with a remark behind a tab. It never prompts, never complains and
never takes longer than 300 ms: a child in a session of its own asks and fills a small cache, and
what comes too late is there at the next TAB. A guest's names are a stranger's text: those that
are not printable are left out, the shell's own quoting does the rest.
"""

import os
import sys

from qga_cli import spec
from qga_cli.cli import plain
from qga_cli.cli.answers import recall
from qga_cli.cli.options import for_command
from qga_cli.format import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_MOST = 1000  # candidates printed; nobody reads more
_SOURCES = {spec.MOUNTPOINT: "mountpoints", spec.USER: "users", spec.PID: "pids"}


def complete(wanted: "Sequence[str]", command: spec.Command | None, rest: "Sequence[str]") -> int:
    """Print the candidates for `wanted`, a kind and what is typed of a value.

    `rest` is the command line before it, the command itself taken out.
    """
    scanned = plain.scan(for_command(command), rest) if command else None
    if scanned is None or len(wanted) < 2:
        return 0
    options, loose = scanned
    kind, value = wanted
    lines = []
    for line in _offer(kind, value, _connect(options), [word for word in loose if word != "--"]):
        text, _, remark = line.partition("\t")
        if text.startswith(value) and text.isprintable() and text[0] != "-":
            lines.append(f"{text}\t{printable(remark)}".rstrip("\t") + "\n")
    sys.stdout.write("".join(lines[:_MOST]))
    return 0


def _connect(options: "dict[str, Any]") -> str:
    return str(options.get("connect") or os.environ.get("QGA_CONNECT", ""))


def _offer(kind: str, value: str, connect: str, loose: "Sequence[str]") -> "Iterable[str]":
    if kind == spec.GUEST:
        done, comma, _ = value.rpartition(",")
        rows = recall("guests", connect)
        return [f"{done}{comma}{r}" for r in rows if r.partition("\t")[0] not in done.split(",")]
    if kind == spec.PLACE:
        guest, colon, path = value.partition(":")
        if not colon:
            return [row.replace("\t", ":\t", 1) for row in recall("guests", connect)]
        return [f"{guest}:{row}" for row in _paths(connect, guest, path)]
    if not loose:
        return []
    guest = loose[0]
    if kind == spec.GUEST_PATH or (kind == spec.WORDS and (len(loose) > 1 or "/" in value)):
        return _paths(connect, guest, value)
    if kind == spec.WORDS:
        return recall("programs", connect, guest, value)
    return recall(_SOURCES[kind], connect, guest) if kind in _SOURCES else []


def _paths(connect: str, guest: str, path: str) -> "Iterable[str]":
    folder, slash, start = path.rpartition("/")
    rows = recall("paths", connect, guest, f"{folder}/" if slash else "", start)
    return [f"{folder}{slash}{row}" for row in rows]
