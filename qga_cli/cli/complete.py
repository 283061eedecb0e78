"""What TAB offers beyond the words baked into completions/: guests, and what is inside them.

`qga __complete KIND VALUE WORD...` prints what VALUE, a word of that kind after the WORDs, may
become: one candidate a line, with a remark after a tab; or, of kind alias-words, a line for each
word that the alias stands for. It never prompts, never complains and never takes longer than
300 ms: a child in a session of its own asks and fills a small cache, and what comes too late is
there at the next TAB. A guest's names are a stranger's text: those that are not printable are left
out, the shell's own quoting does the rest.
"""

from __future__ import annotations

import sys

from qga_cli import config, spec
from qga_cli.cli import quick_parser
from qga_cli.cli.lookups import recall
from qga_cli.cli.options import fill, for_command
from qga_cli.errors import QgaError
from qga_cli.format import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Beside the kinds of arguments: a name of [aliases], and the words that one stands for.
ALIAS, ALIAS_WORDS = "alias", "alias-words"
_MOST = 1000  # candidates printed; nobody reads more
_SOURCES = {spec.MOUNTPOINT: "mountpoints", spec.USER: "users", spec.PID: "pids"}


def complete(wanted: Sequence[str], command: spec.Command | None, rest: Sequence[str]) -> int:
    """Print the candidates for `wanted`, a kind and what is typed of a value.

    `rest` is the command line before it, the command itself taken out.
    """
    try:
        lines = list(_offer(wanted[0], wanted[1], command, rest)) if len(wanted) > 1 else []
    except QgaError:
        return 0  # a mistake in the configuration, say: the command itself will tell
    if wanted[:1] == [ALIAS_WORDS]:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return 0
    shown = 0
    for line in lines:
        text, _, remark = line.partition("\t")
        word = text.isprintable() and text[:1] not in ("", "-")
        if word and text.startswith(wanted[1]) and shown < _MOST:
            shown += 1
            sys.stdout.write(f"{text}\t{printable(remark)}".rstrip("\t") + "\n")
    return 0


def _offer(
    kind: str, value: str, command: spec.Command | None, rest: Sequence[str]
) -> Iterable[str]:
    settings = config.load()
    if kind == ALIAS:
        return settings.table("aliases")
    if kind == ALIAS_WORDS:
        return settings.alias(value)
    scanned = quick_parser.scan(for_command(command), rest) if command else None
    if command is None or scanned is None:
        return []
    hosts = settings.values("hosts")
    connect = fill(command, scanned[0], settings).get("connect") or ""
    connect = hosts.get(connect, connect)
    if kind == spec.GUEST:
        return _guests(value, connect, hosts, settings.table("groups"))
    if kind == spec.PLACE and ":" not in value:
        return [_open(row) for row in _guests(value, connect, hosts)]
    loose = [word for word in scanned[1] if word != "--"]
    return _inside(kind, value, connect, loose)


def _guests(
    value: str, connect: str, hosts: Mapping[str, str], groups: Iterable[str] = ()
) -> Iterable[str]:
    """Names for the last word of a comma-separated list, and the hosts they may be on."""
    done, comma, last = value.rpartition(",")
    host, slash, _ = last.rpartition("/")
    if slash and host in hosts:
        rows = [f"{host}/{row}" for row in recall("guests", hosts[host])]
    else:
        rows = [*recall("guests", connect), *(f"{name}/\thost" for name in hosts)]
        rows += [f"@{name}\tgroup" for name in groups]
    used = done.split(",")
    return [f"{done}{comma}{row}" for row in rows if row.partition("\t")[0] not in used]


def _open(row: str) -> str:
    name, _, remark = row.partition("\t")
    return row if name.endswith("/") else f"{name}:\t{remark}"


def _inside(kind: str, value: str, connect: str, loose: Sequence[str]) -> Iterable[str]:
    """What a guest has."""
    if kind == spec.PLACE:
        guest, _, path = value.partition(":")
        return [f"{guest}:{row}" for row in _paths(connect, guest, path)]
    if not loose:
        return []
    guest = loose[0]
    if kind == spec.GUEST_PATH or (kind == spec.WORDS and (len(loose) > 1 or "/" in value)):
        return _paths(connect, guest, value)
    if kind == spec.WORDS:
        return recall("programs", connect, guest, value)
    return recall(_SOURCES[kind], connect, guest) if kind in _SOURCES else []


def _paths(connect: str, guest: str, path: str) -> Iterable[str]:
    folder, slash, start = path.rpartition("/")
    rows = recall("paths", connect, guest, f"{folder}/" if slash else "", start)
    return [f"{folder}{slash}{row}" for row in rows]
