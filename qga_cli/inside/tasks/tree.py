"""Ends a task with all that it has started."""

import os
import signal
import time

GRACE = 3.0  # seconds between TERM and KILL


class TreeEnding:
    """A task that is told to end: TERM at once, KILL every `GRACE` for what is left of it then. Its
    first process, which has not been waited for yet, may be gone long before."""

    def __init__(self, pid: int) -> None:
        self._tree = kill_tree({pid: b""}, signal.SIGTERM)
        self._kill_at = time.monotonic() + GRACE

    def is_over(self) -> bool:
        """Whether nothing of it runs any more; what is late is killed."""
        if not is_left(self._tree):
            return True
        if time.monotonic() > self._kill_at:
            self._kill_at += GRACE
            self._tree = kill_tree(self._tree, signal.SIGKILL)
        return False


def kill_tree(known: "dict[int, bytes]", signum: int) -> "dict[int, bytes]":
    """Signal those of `known` that are there still, and all that come from them; the whole tree.

    A process is its number and when it began, for the number may be another's later; b"" for one
    of ours that has not been waited for.
    """
    there = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            words = _about(name)
            if words:
                there[int(name)] = (int(words[1]), int(words[2]), words[19])
    tree = {pid for pid in known if pid in there and known[pid] in (b"", there[pid][2])}
    grown = True
    while grown:
        # A task has a session, so the groups of its processes are nobody else's.
        groups = {there[pid][1] for pid in tree}
        more = {
            pid for pid, (parent, group, _) in there.items() if parent in tree or group in groups
        }
        grown = not more <= tree
        tree |= more
    for pid in tree:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue
    return {pid: there[pid][2] for pid in tree}


def is_left(tree: "dict[int, bytes]") -> bool:
    """Whether one of these processes runs still."""
    for pid, began in tree.items():
        words = _about(str(pid))
        if words and words[0] != b"Z" and words[19] == began:
            return True
    return False


def _about(pid: str) -> "list[bytes]":
    """What proc_pid_stat(5) has of a process from its state on; empty for none."""
    try:
        with open("/proc/" + pid + "/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
