"""Inputs for tests/soak/fuzz.py: what a stranger would send, made from what agents do send."""

import io
import json
import random
import tarfile
from typing import Any

from tests import REPO

WORDS = (
    "", "a", "web1", "é", "\x1b[2J", "\x1b]52;c;cm0=\x07", "\x9b31m", "[bold]", "\u202e", "\u200b",
    "\x00", "\n", "\t", "\\", "'", '"', "$nl", "$(id)", "-", "--", ":", "/", ",", "@", "*", "[",
    "..", "C:\\", "\ud800", "\udcff", "\U0010ffff", "password", "VM", "=", "has been disabled",
    "The command guest-exec has not been found", "Parameter 'x' is unexpected", "\x7f" * 9,
    "x" * 999, "9" * 5000,
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 255, 256, 2**31, 2**53, -(2**63), 2**63, 2**64 - 1, 2**64, 10**400, -(10**400), 1e308,
    5e-324, -0.0, 1.5, 1e16,
)  # fmt: skip
LITERALS = ("1e400", "-1e999", "NaN", "Infinity", "-Infinity", "0" * 30, "9" * 5000, "1e-999")
PIECES = (
    b"\xff", b"\n", b"\x00", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"{", b"}", b"[", b"]", b'"',
    b",",
    b'{"return": ', b'{"error": ', b'{"return": {}}\n', b'"id": 7', b"[" * 2000, b" " * 50, b"//",
)  # fmt: skip
OUTPUTS = (
    b"o\0\5hello\nt\0\0a\0\x08\0\0\0\0\0\0\0\1x\0\1\7", b"-rw 0 0 12 1.5 a//b\0",
    b"output MARK 0 exited\n", b"drwx root root 4096 17 name//\0",
)  # fmt: skip
CASES = [  # a wire name, and what tests/commands/test_cases.py knows of it
    (path.name.partition(".")[0], json.loads(path.read_text()))
    for path in sorted((REPO / "tests" / "cases").glob("*.json"))
]


def text(chance: random.Random) -> str:
    """A few awkward words one behind the other."""
    count = chance.randrange(1, 6)
    return "".join(
        chr(
            chance.choice(
                (chance.randrange(128), chance.randrange(0x3000), chance.randrange(0x110000))
            )
        )
        if chance.random() < 0.4
        else chance.choice(WORDS)
        for _ in range(count)
    )


def value(chance: random.Random, depth: int = 3) -> Any:
    """Any JSON value."""
    kind = chance.randrange(8 if depth else 6)
    if kind == 6:
        return [value(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 7:
        return {text(chance): value(chance, depth - 1) for _ in range(chance.randrange(4))}
    simple = (None, True, chance.choice(NUMBERS), text(chance), chance.getrandbits(40), "QUJD")
    return simple[kind]


def changed(chance: random.Random, whole: Any) -> Any:
    """`whole` with something in it replaced, left out, doubled or added."""
    if isinstance(whole, str) and chance.random() < 0.8:
        return text(chance)
    if type(whole) is int and chance.random() < 0.8:
        return chance.choice(NUMBERS)
    if not whole or not isinstance(whole, (dict, list)) or chance.random() < 0.02:
        return value(chance)
    if isinstance(whole, list):
        copy = list(whole)
        at = chance.randrange(len(copy))
        act = chance.randrange(8)
        if act == 0:
            del copy[at]
        elif act == 1:
            copy.insert(at, chance.choice(copy))
        elif act == 2:
            copy.append(value(chance))
        else:
            copy[at] = changed(chance, copy[at])
        return copy
    members = dict(whole)
    key = chance.choice(list(members))
    act = chance.randrange(12)
    if act == 0:
        del members[key]
    elif act == 1:
        members[text(chance)] = value(chance)
    elif act == 2:
        members[key] = value(chance)
    else:
        members[key] = changed(chance, members[key])
    return members


def line(chance: random.Random, reply: Any) -> str:
    """A reply line: mostly JSON of a changed `reply`, now and then with what JSON does not have."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if isinstance(reply, dict) and "return" in reply and chance.random() < 0.95:
            reply = {**reply, "return": changed(chance, reply["return"])}
        else:
            reply = changed(chance, reply)
    made = json.dumps(reply, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.05:
        at = made.find(":", chance.randrange(len(made))) + 1
        made = f"{made[:at]}{chance.choice(LITERALS)}{made[made.find(',', at) :]}"
    return made


def cut_up(chance: random.Random, data: bytes) -> bytes:
    """`data` with bytes flipped, removed, doubled, moved or put in."""
    made = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(made) + 1)
        length = chance.choice((1, 1, 2, 8, 100))
        act = chance.randrange(6)
        if act == 0 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        elif act == 1:
            del made[at : at + length]
        elif act == 2:
            made[at:at] = made[at : at + length]
        elif act == 3:
            made[at:at] = chance.choice(PIECES)
        elif act == 4:
            made[at : at + length] = chance.randbytes(length)
        else:
            made[at:at] = b"%d" % chance.choice((0, 1, 7, 9, 255, 10**9, 2**64, 10**30))
    return bytes(made)


def words(chance: random.Random) -> tuple[str]:
    """A few words of nobody's language."""
    return (text(chance),)


def archive(chance: random.Random) -> tuple[bytes, int]:
    """A tar stream of three entries, broken; now and then packed, and broken again."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=chance.choice((1, 2))) as tar:
        for number in range(chance.randrange(1, 4)):
            info = tarfile.TarInfo(f"{number}" * chance.choice((1, 8, 150)))
            info.type = chance.choice((b"0", b"5", b"2", b"1", b"6"))
            info.size = chance.randrange(700) if info.type == b"0" else 0
            info.linkname = chance.choice(("../x", "0", "y" * 120)) if info.type in b"12" else ""
            info.pax_headers = chance.choice(({}, {"mtime": "1.5"}, {"GNU.sparse.major": "1"}))
            tar.addfile(info, io.BytesIO(chance.randbytes(info.size)))
    made = out.getvalue()[: chance.choice((600, 4000, 20_000))]
    for _ in range(chance.randrange(1, 3)):
        made = cut_up(chance, made)
    return made, chance.choice((1000, 511, 20_000))


def output(chance: random.Random) -> tuple[bytes, int]:
    """What a program's pipe, a terminal and a folder's list may hold, and how it is cut."""
    return cut_up(chance, chance.choice(OUTPUTS) * chance.randrange(1, 4)), chance.choice(
        (1, 7, 1000)
    )
