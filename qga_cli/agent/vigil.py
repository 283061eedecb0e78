"""A keeper in the guest hears that we live, also while whoever reads our output does not read.

`qga exec VM -- journalctl | less` stands still in a write for as long as a page is read.
"""

from __future__ import annotations

import threading

from qga_cli.errors import QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK = 5.0  # seconds; `beat` knows by itself when it is time


class Vigil:
    """Calls `beat` now and then from a thread of its own, but only inside `with` blocks.

    Outside them, who has made this uses the agent's connection, which is for one thread at a time,
    and beats by itself. `end` is called there.
    """

    def __init__(self, beat: Callable[[], object]) -> None:
        self._beat = beat
        self._over = threading.Event()
        self._turn = threading.Lock()  # who holds it has the connection
        self._turn.acquire()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        self._turn.release()

    def __exit__(self, *_: object) -> None:
        self._turn.acquire()

    def end(self) -> None:
        """Beat no more. Returns when no beat is under way."""
        self._over.set()
        if self._thread.is_alive():
            self._turn.release()
            self._thread.join()
            self._turn.acquire()

    def _work(self) -> None:
        while not self._over.wait(_LOOK):
            with self._turn:
                if self._over.is_set():
                    return
                try:
                    self._beat()
                except QgaError:
                    return  # the other thread meets it too
