"""Limits how many series a guest may have in a day, whatever names it invents."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from qga_cli.metrics.family import Family

_MOST = 2000  # sets of labels of one guest; an ordinary one has a hundred
_KEPT = 86400.0  # seconds for which one that is not told any more still counts


class Bounds:
    """Leaves out series beyond the limit, over many scrapes.

    Prometheus keeps each series that was ever told. A guest that gives its filesystems new names
    every minute would fill it, though each scrape has few.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[int, float]] = {}  # by guest: which series, and when last told
        self._lock = threading.Lock()

    def apply(self, families: Iterable[Family]) -> None:
        """Take the samples of series beyond the bounds out of the families."""
        now = time.monotonic()
        left: dict[str, int] = {}
        families = list(families)
        with self._lock:
            for vm, known in list(self._known.items()):
                kept = {series: told for series, told in known.items() if now < told + _KEPT}
                self._known[vm] = kept
                if not kept:
                    del self._known[vm]
            for family in families:
                told = list(family.samples) if family.labels[:1] == ("vm",) else []
                for labels in told:
                    if not self._admit(family, labels, now):
                        del family.samples[labels]
                        left[labels[0]] = left.get(labels[0], 0) + 1
        for family in families:
            if family.name == "qga_left_out":
                for vm, count in left.items():
                    family.add(count, vm, "series")

    def _admit(self, family: Family, labels: tuple[str, ...], now: float) -> bool:
        known = self._known.setdefault(labels[0], {})
        series = hash((family.name, labels))
        if series in known or len(known) < _MOST:
            known[series] = now
            return True
        return False
