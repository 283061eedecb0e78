"""Text from the command line, checked and turned into the values the agent takes."""

from __future__ import annotations

import os
import sys

from qga_cli import hostpath, spec, wire
from qga_cli.errors import UsageError
from qga_cli.spec import Arg, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from typing import Any

_SIZE = r"(?ai)(\d{1,18})([KMGTP]?)(?:i?B)?"
_DURATION = r"(?a)(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d|)"
_MOST = 2**63  # what is less is a number of the agent's, int64 of QAPI
_LONGEST = 100 * 365 * 86400.0  # seconds: the system's calls take 292 years
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def convert(args: tuple[Arg, ...], raw: dict[str, Any]) -> dict[str, Any]:
    """Values by argument name; arguments that were not given are left out."""
    values: dict[str, Any] = {}
    for arg in args:
        given = raw.get(arg.name)
        if given is None or given is False or given == [] or given == 0:
            if arg.default is not None:
                default = arg.default
                values[arg.name] = value(arg, default) if isinstance(default, str) else default
        elif arg.kind == spec.KEY:  # each may stand for several
            values[arg.name] = [line for text in given for line in _checked(arg, key, text)]
        else:
            values[arg.name] = [value(arg, t) for t in given] if arg.many else value(arg, given)
    return values


def value(arg: Arg, text: Any) -> object:
    """One value. Raises UsageError with what was expected."""
    if arg.choices and text not in arg.choices:
        raise UsageError(f"{label(arg)} is one of {', '.join(arg.choices)}, not {text!r}")
    if not text and not arg.positional and arg.kind in (spec.TEXT, spec.USER):
        # A variable that is not set, most likely: without the option another host would be asked,
        # or root would run it.
        hint = "leave the option out for the default"
        raise UsageError(f"{label(arg)} is empty", hint=hint)
    if not text and arg.kind == spec.GUEST:  # nor are all guests meant
        raise UsageError("an empty guest name")
    reader = _READERS.get(arg.kind)
    return text if reader is None else _checked(arg, reader, text)


def _checked(arg: Arg, reader: Callable[[Any], Any], text: Any) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        expected = str(error) or "another value"
        raise UsageError(f"{label(arg)}: {text!r} is not {expected}") from error


def label(arg: Arg) -> str:
    """The argument as the user writes it."""
    return arg.metavar if arg.positional else f"--{arg.name}"


def wire_arguments(command: Command, values: dict[str, Any]) -> dict[str, object]:
    """The arguments of the wire command among `values`, standard input and secrets read now."""
    arguments: dict[str, object] = {}
    for arg in command.args:
        if arg.wire and arg.kind == spec.STDIN:
            given = hostpath.read_whole(sys.stdin.buffer, "standard input")
            arguments[arg.wire] = wire.to_base64(given)
        elif arg.wire and arg.kind == spec.SECRET:
            from qga_cli.cli.secret import secret  # which one command wants

            arguments[arg.wire] = wire.to_base64(secret(arg.name, values))
        elif arg.wire and arg.name in values:
            arguments[arg.wire] = values[arg.name]
    return arguments


def size(text: str) -> int:
    """Bytes: 4096, 64K, 1.5G is not taken."""
    match = _matched(_SIZE, text)
    count = int(match[1]) << 10 * " KMGTP".index(match[2].upper() or " ") if match else _MOST
    if count >= _MOST:
        raise ValueError("a size such as 4096, 64K or 1M, below 8192P")
    return count


def duration(text: str) -> float:
    """Seconds: 30, 30s, 500ms, 5m, 2h."""
    match = _matched(_DURATION, text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        raise ValueError("a time such as 30s, 500ms or 5m, of 100 years at most")
    return seconds


def _matched(pattern: str, text: str) -> re.Match[str] | None:
    import re  # only where such a value is given: it takes as long to load as all of ours

    return re.fullmatch(pattern, text)


def moment(text: str) -> int:
    """Nanoseconds since 1970: a number of them, an RFC 3339 time, or now."""
    import time
    from datetime import UTC, datetime

    if text == "now":
        return time.time_ns()
    if text.isdecimal() and len(text) <= 19:
        return _nanoseconds(int(text))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time such as 2026-01-01T00:00:00Z, now, or nanoseconds") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return _told((since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000)


def _nanoseconds(number: int) -> int:
    """The number, unless it would be a time of the first four months of 1970: a wrong unit."""
    if 0 < number < 10**16:
        # Of today, seconds have 10 digits, milliseconds 13, microseconds 16, nanoseconds 19.
        digits = len(str(number))
        unit, zeros = next(
            (unit, zeros)
            for most, unit, zeros in ((11, "seconds", 9), (14, "milliseconds", 6),
                                      (16, "microseconds", 3))
            if digits <= most
        )  # fmt: skip
        raise ValueError(
            f"a time of now in nanoseconds; if {unit} are meant, write {number}{'0' * zeros}"
        )
    return _told(number)


def _told(nanoseconds: int) -> int:
    """These, if the agent has a number for them."""
    if not -_MOST <= nanoseconds < _MOST:
        raise ValueError("a time of the years 1677 to 2262")
    return nanoseconds


def integer(text: str) -> int:
    """A decimal number."""
    digits = text.removeprefix("-")
    if not (digits.isdecimal() and len(digits) <= 19 and -_MOST <= int(text) < _MOST):
        raise ValueError("a whole number of 64 bits")
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or len(text) > 18 or int(text) == 0:
        raise ValueError("a whole number from 1 on")
    return int(text)


def a_label(text: str) -> str:
    """KEY=GLOB."""
    if not text.partition("=")[0] or "=" not in text:
        raise ValueError("KEY=GLOB, for example title='web*'")
    return text


def path(text: str) -> str:
    """Not empty, as a variable that is not set would be."""
    if not text:
        raise ValueError("a path")
    return text


def key(text: str) -> list[str]:
    """An OpenSSH public key, or those of @FILE (@-: standard input), one on each line."""
    if not text.startswith("@"):
        if len(text.split()) < 2:  # the agent would write down anything, a forgotten @ as well
            meant = f"; did you mean @{text}?" if os.path.exists(os.path.expanduser(text)) else ""
            raise ValueError(
                f"a public key such as 'ssh-ed25519 AAAA...', nor @FILE with keys in it{meant}"
            )
        return [text]
    path = os.path.expanduser(text[1:])
    try:
        if text == "@-":
            data = hostpath.read_whole(sys.stdin.buffer, path)
        else:
            data = hostpath.content(path, path)
        lines = data.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"a readable key file: {why}") from error
    found = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    if not found:
        raise ValueError("a file with a key in it")
    # What stands in a private key is for no guest's eyes. AAAA: see openssh.py.
    if not all(" AAAA" in " ".join(line.split()) for line in found):
        raise ValueError("a file of public keys only: is it the private one?")
    return found


def switch(member: str) -> Callable[[str], dict[str, object]]:
    """ID=on|off as the agent's object with `member` for the id."""

    def read(text: str) -> dict[str, object]:
        id, _, state = text.partition("=")
        if not id.isdecimal() or len(id) > 18 or state not in ("on", "off"):
            raise ValueError("ID=on or ID=off")
        return {member: int(id), "online": state == "on"}

    return read


def whence(text: str) -> int:
    """fseek's number: agents know names for it since 2.6, numbers always."""
    return ("set", "cur", "end").index(text)


_READERS: dict[str, Callable[[Any], object]] = {
    spec.INT: integer,
    spec.POSITIVE: positive,
    spec.PID: integer,
    spec.SIZE: size,
    spec.DURATION: duration,
    spec.TIME: moment,
    spec.LABEL: a_label,
    spec.WHENCE: whence,
    spec.GUEST_PATH: path,
    spec.HOST_PATH: path,
    spec.VCPUS: switch("logical-id"),
    spec.BLOCKS: switch("phys-index"),
}
