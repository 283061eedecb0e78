"""Text of requests and replies: no I/O, one place for what the protocol asks.

Source: QEMU qga/main.c (send_response, process_event) and qobject/json-lexer.c.
"""

from __future__ import annotations

import binascii

from qga_cli.errors import BadReply, Refused, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Bytes of a reply line. Only files and output are ever so long: a 48 MiB guest-file-read in
# base64, the agent's own limit. Nothing else comes near 8 MiB; libvirt carries 4.
MAX_REPLY = 8 * 2**20
MAX_BULK = 72 * 2**20
_BULK = ("guest-file-read", "guest-exec-status")
_LONG = 2**20  # bytes of a line above which it is looked at more closely
_MANY = 250_000  # members and elements; each takes some 60 bytes of memory
_DEEPEST = 100  # lists and objects in each other; agents nest five, and YAML takes some 300
DELIMITER = b"\xff"  # never part of valid UTF-8: resets the agent's parser, marks the sync reply

# Arguments that may hold what nobody else may read: programs get passwords by env and stdin.
SECRET = ("password", "env", "input-data", "buf-b64")

_TRACED = 2000  # bytes of a line
# As libvirt and as the agent write it. It needs no parser, whose modules take a while to load.
_DONE = ('{"return":{}}', '{"return": {}}')


# All that an agent takes while filesystems are frozen: QEMU, qga/main.c, ga_freeze_allowlist.
WHILE_FROZEN = frozenset(
    f"guest-{name}"
    for name in ("ping", "info", "sync", "sync-delimited", "fsfreeze-status", "fsfreeze-thaw")
)


class AgentError(Refused):
    """An error reply as it came; refusal.py turns it into the class that explains it."""


def encode(wire: str, arguments: Mapping[str, object]) -> str:
    """One request line, without its newline. Pure ASCII."""
    if not arguments and wire.isascii() and wire.replace("-", "").isalnum():
        return f'{{"execute":"{wire}"}}'  # json brings `re`, which takes longer to load than ours
    import json

    request: dict[str, object] = {"execute": wire}
    if arguments:
        request["arguments"] = dict(arguments)
    text = json.dumps(request, separators=(",", ":"))
    if "\\udc" in text and any(map(_has_bytes, arguments.values())):
        raise UsageError(
            f"{wire}: the agent takes UTF-8 text only, and an argument holds other bytes"
        )
    return text


def limit(request: str) -> int:
    """How long the reply to a request line may be, in bytes."""
    return MAX_BULK if name_of(request) in _BULK else MAX_REPLY


def reply_text(line: bytes) -> str:
    """A reply line as text. Raises BadReply for one that would take many times its size in memory.

    One character beyond ASCII makes Python spend up to four bytes on every other; see also `parse`.
    """
    if len(line) > _LONG and not line.isascii():
        raise _bulky(len(line))
    text = line.decode("utf-8", "replace")
    if len(text) > _LONG and _has_many(text):
        raise _bulky(len(text))
    return text


def _bulky(length: int) -> BadReply:
    return BadReply(f"the agent's reply of {length:,} bytes is no file and no output")


def _has_many(text: str) -> bool:
    """Whether it has too many values. `find` is ten times faster than `count` where few are."""
    left = _MANY
    for mark in ",[{":
        at = text.find(mark)
        while at >= 0 and left:
            left -= 1
            at = text.find(mark, at + 1)
    return not left


def decode(text: str) -> object:
    """The `return` of one reply line. Raises AgentError for an error reply, else BadReply."""
    reply = parse(text)
    if "error" in reply:
        error = reply["error"]
        desc = error.get("desc") if isinstance(error, dict) else None
        raise AgentError(desc if isinstance(desc, str) and desc else "unspecified error")
    if "return" not in reply:
        raise BadReply("the agent's reply has neither 'return' nor 'error'", details=text[:200])
    return reply["return"]


def parse(text: str | bytes) -> dict[str, object]:
    """One JSON object. Raises BadReply for all else: NaN, 1e999 and endless nesting included.

    `[],` takes three bytes of a line and sixty of ours: a long one may not have many. What is
    rightly long is base64. Whichever way a reply came, it is looked at here.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if len(text) > _LONG and _has_many(text):
        raise _bulky(len(text))
    try:
        reply = load(text)
    except (ValueError, RecursionError) as error:
        raise BadReply(
            "the agent's reply is not JSON", details=f"{error}: {text[:200]!r}"
        ) from error
    if not isinstance(reply, dict):
        raise BadReply("the agent's reply is not a JSON object", details=repr(text[:200]))
    if _is_deep(reply, _DEEPEST):
        raise BadReply("the agent's reply is nested too deeply", details=text[:200])
    return reply


def _is_deep(value: Any, levels: int) -> bool:
    """Whether there are more lists and objects in each other than that."""
    inner = value.values() if isinstance(value, dict) else value
    return any(
        not levels or _is_deep(one, levels - 1) for one in inner if isinstance(one, (dict, list))
    )


def load(text: str | bytes) -> Any:
    """Any JSON, as strict as others are. Raises ValueError, RecursionError."""
    if text in _DONE:
        return {"return": {}}
    import json

    return json.loads(text, parse_constant=_no_constant, parse_float=_finite)


def name_of(request: str) -> str:
    """The wire name in a request line of `encode`'s making."""
    return request.split('"', 4)[3]


def traced(line: str) -> str:
    """A request or reply as a trace may show it: secrets masked, and not without end."""
    shown = line[:_TRACED]  # first, for a megabyte costs more to search than to send
    secrets = SECRET if shown.startswith('{"execute"') else ("password",)
    if any(f'"{name}"' in shown for name in secrets):
        import re

        key = re.compile(rf'"(?:{"|".join(secrets)})"\s*:\s*')
        told, at = "", 0
        while found := key.search(shown, at):
            told += shown[at : found.end()] + '"***"'
            at = _past(shown, found.end())
        shown = told + shown[at:]
    return shown if len(line) <= _TRACED else f"{shown}... {len(line):,} bytes in all"


def _past(line: str, at: int) -> int:
    """Where the value that begins at `at` ends: text, a number, lists and objects to any depth;
    the end may be cut off."""
    import re

    depth = 0
    for token in re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[][{},]').finditer(line, at):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
            if depth <= 0:
                return token.end() if depth == 0 else token.start()
        elif depth == 0:
            return token.start() if mark == "," else token.end()
    return len(line)


def to_base64(data: bytes) -> str:
    """Base64 without line breaks."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: object) -> bytes:
    """The bytes of a base64 member. Raises BadReply when it is not base64."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise BadReply(f"the agent's reply holds broken base64: {error}") from error


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):  # JSON can say it here, and then cannot any more
        raise ValueError(f"{text[:20]} is no number")
    return number


def is_text(word: str) -> bool:
    """Whether JSON can carry it: no byte that os.fsdecode could not decode."""
    return not any("\udc80" <= char <= "\udcff" for char in word)


def _has_bytes(value: object) -> bool:
    if isinstance(value, str):
        return not is_text(value)
    return isinstance(value, list) and any(map(_has_bytes, value))
