"""What a metric is: a name, what it means, and a value for each set of labels."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from qga_cli.format import printable

_LONGEST = 120  # characters of a label

GAUGE, COUNTER = "gauge", "counter"


class Family:
    """One metric. `labels` are their names, in the order in which `add` takes them."""

    __slots__ = ("help", "kind", "labels", "name", "samples")

    def __init__(self, name: str, kind: str, labels: tuple[str, ...], help: str) -> None:
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
        self.samples: dict[tuple[str, ...], float] = {}

    def add(self, value: float | None, *labels: str) -> None:
        """Note a value, unless there is none.

        A later one for the same labels takes its place: a guest may have two filesystems on one
        mount point, and Prometheus throws a whole scrape away for one series that comes twice.
        """
        if value is not None:
            self.samples[tuple(map(label, labels))] = float(value)

    def rows(self) -> list[tuple[Mapping[str, str], float]]:
        """Every sample, with its labels by name."""
        return [
            (dict(zip(self.labels, labels, strict=True)), value)
            for labels, value in self.samples.items()
        ]


def label(text: str) -> str:
    """A guest's text as the value of a label: printable, and cut to a bounded length.

    Long ones that differ stay different.
    """
    text = printable(text)
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 9]}~{zlib.crc32(text.encode()):08x}"
