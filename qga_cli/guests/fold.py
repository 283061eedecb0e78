"""Many names in few words: web1, web2, web3, db1 are db1,web[1-3]."""

import re
from collections.abc import Iterable

_MARKS = frozenset("[],")  # of ours: a name with one of them would be ambiguous
_NUMBERED = re.compile(r"(.*?)(\d{1,9})(\D*)", re.DOTALL)


def fold(names: Iterable[str]) -> str:
    """The names in natural order, runs of numbers folded. 01 and 1 stay apart."""
    groups: dict[tuple[str, str, int], list[int]] = {}
    plain: list[str] = []
    for name in dict.fromkeys(names):
        match = _NUMBERED.fullmatch(name)
        if match is None or not _MARKS.isdisjoint(name):
            plain.append(name)
            continue
        before, digits, after = match.groups()
        width = len(digits) if digits.startswith("0") and len(digits) > 1 else 0
        groups.setdefault((before, after, width), []).append(int(digits))
    _join_padded(groups)
    words = [(before, _word(before, after, width, sorted(numbers)))
             for (before, after, width), numbers in groups.items()]  # fmt: skip
    words += [(name, name) for name in plain]
    return ",".join(word for _, word in sorted(words))


def _join_padded(groups: dict[tuple[str, str, int], list[int]]) -> None:
    """Give 10 to 08 and 09: a number as wide as padded ones belongs to them."""
    for before, after, width in list(groups):
        bare = groups.get((before, after, 0), [])
        if width and bare:
            fitting = [number for number in bare if len(str(number)) == width]
            groups[before, after, width] += fitting
            bare[:] = [number for number in bare if number not in fitting]
            if not bare:
                del groups[before, after, 0]


def _word(before: str, after: str, width: int, numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [f"{a:0{width}}" if a == b else f"{a:0{width}}-{b:0{width}}" for a, b in runs]
    inside = texts[0] if len(numbers) == 1 else f"[{','.join(texts)}]"
    return f"{before}{inside}{after}"
