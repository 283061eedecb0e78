"""Keeps a guest frozen between two tasks: a process of its own, run by the action `freeze`.

    action (frozen)      holder                              qga fs with-frozen VM -- cat
      starts it  ────▶   starts it  ─────────────────────▶   freezes; says "frozen"
      "frozen"   ◀────   ◀────────────────────────────────
    action (thawed)
      the FIFO   ────▶   closes its input ───────────────▶   cat ends; thaws; exit code
      "result"   ◀────   ◀────────────────────────────────

The end of Ansible's main process is as good as the FIFO; the end of this process closes the input
too. --max holds whatever happens.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys


def main(folder: str, owner: str, argv: list[str]) -> None:
    """Start `argv` and hold it until it is to end. Files in `folder`: the FIFO, the result."""
    fifo = os.open(os.path.join(folder, "thaw"), os.O_RDWR)
    with open(os.path.join(folder, "errors"), "w+", encoding="utf-8") as errors:
        program = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        frozen = program.stdout.readline() == b"frozen\n"
        if frozen:
            sys.stdout.write("frozen\n")
            sys.stdout.flush()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            watched = [fifo, program.stdout]
            try:
                watched.append(os.pidfd_open(int(owner)))
            except ProcessLookupError:
                watched = []
            if watched:
                select.select(watched, [], [])
        program.stdin.close()
        code = program.wait()
        errors.seek(0)
        result = {"code": code, "frozen": frozen, "said": errors.read()}
    if not frozen:
        json.dump(result, sys.stdout)
        return
    half = os.path.join(folder, "half")
    try:
        with open(half, "w", encoding="utf-8") as file:
            json.dump(result, file)
        os.rename(half, os.path.join(folder, "result"))
    except FileNotFoundError:  # Ansible has gone, and its folder with it
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
