"""Text as manual pages want it."""

import re
import textwrap

_WIDTH = 78  # longer input lines earn a remark of `mandoc -T lint`
_SENTENCE = re.compile(r"(?<=[.!?:]) (?=[A-Z`])")
_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", "`": "\\(ga"}


def plain(text: str) -> str:
    """Text that must come out letter by letter, so that it can be copied and typed."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def prose(text: str) -> str:
    """A paragraph: every sentence on a line of its own, `code` in bold."""
    return "".join(_lines(sentence) for sentence in _SENTENCE.split(text))


def _lines(sentence: str) -> str:
    pieces = [
        bold(piece) if index % 2 else plain(piece).replace("\\(aq", "'")
        for index, piece in enumerate(sentence.split("`"))
    ]
    lines = textwrap.wrap("".join(pieces), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(_safe(line) + "\n" for line in lines)


def title(name: str, section: int, date: str, version: str) -> str:
    """The page's first line."""
    return f'.TH {plain(name.upper())} {section} "{date}" "qga {version}" "qga manual"\n'


def heading(text: str) -> str:
    """A section's title."""
    return f".SH {text}\n"


def entry(term: str, text: str) -> str:
    """A tagged paragraph; `term` is roff already."""
    return f".TP\n{term}\n{prose(text)}"


def bold(text: str) -> str:
    """Text that is typed as it is."""
    return f"\\fB{plain(text)}\\fR"


def italic(text: str) -> str:
    """A placeholder."""
    return f"\\fI{plain(text)}\\fR"


def example(line: str, says: str) -> str:
    """A command line, and what it is for above it."""
    above = prose(f"{says[:1].upper()}{says[1:]}:")
    return f".PP\n{above}{literal(line)}"


def literal(*lines: str) -> str:
    """Lines as they are, a little to the right."""
    text = "\n".join(_safe(plain(line)) for line in lines)
    return f".PP\n.in +4n\n.nf\n{text}\n.fi\n.in\n"


def _safe(line: str) -> str:
    return f"\\&{line}" if line.startswith((".", "'")) else line
