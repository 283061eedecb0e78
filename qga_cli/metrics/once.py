"""The same work for many who ask, done once at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from qga_cli.errors import NotAnswering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Once:
    """Callers that come while the work runs wait for its outcome, and start no second one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._value: Any = None
        self._error: BaseException | None = None

    def do(self, work: Callable[[], Any], patience: float) -> Any:
        """What `work` returns, or raises. NotAnswering when another's takes over `patience` s."""
        with self._changed:
            if self._busy:
                if not self._changed.wait_for(lambda: not self._busy, patience):
                    raise NotAnswering("what was asked before has not been answered yet")
                return self._outcome()
            self._busy = True
        value, failure = None, None
        try:
            value = work()
        except BaseException as error:  # it is for all who wait, and raised below
            failure = error
        with self._changed:
            self._busy = False
            self._value, self._error = value, failure
            self._changed.notify_all()
            return self._outcome()

    def _outcome(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value
