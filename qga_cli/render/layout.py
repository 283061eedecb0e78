"""Which columns of a table a terminal has room for, and how wide each is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from qga_cli import spec
from qga_cli.spec import Column

RIGHT = (spec.BYTES, spec.NUMBER, spec.COUNTER, spec.TRAFFIC, spec.BUSY, spec.PERCENT)
GAP = 2  # cells between columns
_ONE_LINE = (*RIGHT, spec.BAR, spec.TREE, spec.MOMENT, spec.SECONDS, spec.YESNO, spec.VERSION,
             spec.WORD, spec.TERM)  # fmt: skip
_LEAST = 8  # cells to which a name is squeezed where nothing else helps
_SHORT, _EASY = 24, 0.6  # a text of more cells may take a second line, and reads as well


class Width:
    """What one column needs: all of it, wrapped a little, at every blank, broken inside words."""

    def __init__(self, column: Column, texts: Sequence[str], room: int, *, header: bool) -> None:
        title = column.name.upper() if header else ""
        texts = [title, *texts]
        self.all = min(room, _longest(line for text in texts for line in text.split("\n")))
        longest = min(room, _longest(word for text in texts for word in text.split()))
        whole = column.kind in _ONE_LINE
        self.words = self.all if whole else longest
        easy = self.all if self.all <= _SHORT else math.ceil(self.all * _EASY)
        self.easy = max(self.words, easy)
        self.least = self.words if whole else min(longest, max(len(title), _LEAST))
        self.names = longest if column.kind == spec.LINES else self.least  # addresses are copied


def fit(
    columns: Sequence[Column],
    texts: Sequence[Sequence[str]],
    screen: int,
    *,
    header: bool,
    chosen: bool,
) -> dict[int, int] | None:
    """The columns that are shown, by their index, and their widths. `texts` are their cells.

    What can be left out goes first, then texts wrap at blanks, then names break; a number, a state
    or a version never does. None where columns were `chosen`, so none goes, and there is no room.
    """
    needs = [
        Width(column, cells, screen, header=header)
        for column, cells in zip(columns, texts, strict=True)
    ]
    shown = [index for index, cells in enumerate(texts) if chosen or any(cells) or not cells]

    def overfull(floors: Iterable[int]) -> bool:
        return sum(floors) + GAP * (len(shown) - 1) > screen

    if not chosen:
        for index in sorted(shown, key=lambda index: columns[index].leaves):
            if columns[index].leaves and overfull(needs[index].easy for index in shown):
                shown.remove(index)
    while overfull(needs[index].least for index in shown) and len(shown) > 1:
        if chosen:
            return None
        shown.pop()
    widths = {index: needs[index].all for index in shown}
    for floor in ("words", "names", "least"):
        floors = {index: getattr(needs[index], floor) for index in shown}
        while overfull(widths.values()):
            wide = [index for index in shown if widths[index] > floors[index]]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=1)
