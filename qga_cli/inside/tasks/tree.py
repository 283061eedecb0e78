"""Ends a task with all that it has started."""

import os


def kill_tree(root: int, signum: int) -> None:
    """Signal a process of ours that has not been waited for, and all that come from it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/" + name + "/stat", "rb") as file:
                    words = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            parents[int(name)] = (int(words[1]), int(words[2]))
    tree = {root}
    grown = True
    while grown:
        more = {pid for pid, (parent, group) in parents.items() if parent in tree or group == root}
        grown = not more <= tree
        tree |= more
    for pid in tree:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue
