"""How single values read on a terminal, and how a stranger's text is made harmless there.

>>> size(1610612736), size(512), duration(93784), percent(0.4251)
('1.5G', '512B', '1d 2h', '43%')
>>> printable("a\\x1b[31mred\\u202e\\n")
'a\\\\x1b[31mred\\\\u202e\\\\n'
"""

import time

_UNITS = "BKMGTPE"
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def size(count: float) -> str:
    """Bytes in powers of 1024, three digits at most."""
    unit = 0
    while abs(count) >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    if unit == 0 or abs(count) >= 10:
        return f"{count:.0f}{_UNITS[unit]}"
    return f"{count:.1f}{_UNITS[unit]}"


def duration(seconds: float) -> str:
    """The two largest units of a time span."""
    if seconds <= -0.05:
        return "-" + duration(-seconds)
    if seconds < 60:
        seconds = abs(seconds)
        return f"{seconds:.0f}s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f}s"
    parts = []
    rest = int(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def percent(share: float) -> str:
    """A share of one, rounded."""
    return f"{share * 100:.0f}%"


def moment(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC; a number no calendar has stays a number."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def printable(text: str) -> str:
    """`text` with everything that moves, colours or reorders a terminal's output spelled out.

    Control characters (C0, DEL, C1), bidirectional overrides, zero-width and other format
    characters, private use, lone surrogates and line separators become \\xNN or \\uNNNN.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spell(char) for char in text)


def visible(text: str) -> str:
    """JSON text with everything that is no plain character written as \\uXXXX."""
    if text.isascii() and "\x7f" not in text:
        return text
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(char if char.isprintable() or char == "\n" else _escape(char) for char in text)


def shorten(text: str, length: int = 500) -> str:
    """`text` with its middle left out when it is longer than a screen has patience for."""
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]} ... {text[-half:]}"


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _spell(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
