"""Running the programs the lab is made of."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# An ordinary user's search path on Debian lacks mkfs.ext4, libvirtd and qemu-ga.
PATH = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"


class LabError(Exception):
    """The lab cannot do what was asked; the text says why, for a human."""


def run(*command: str, stdin: str | None = None, folder: Path | None = None) -> str:
    """Run a program to its end and return its output; its messages are untranslated."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "PATH": PATH},
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: run `python3 -m tests.lab setup`") from None
    if done.returncode != 0:
        text = textwrap.shorten(" ".join(command), 200)
        # Some say what went wrong on stdout, as debootstrap does.
        said = done.stderr.strip() or done.stdout.strip()[-1000:]
        raise LabError(f"`{text}` ended with {done.returncode}: {said}")
    return done.stdout


def is_over(pid: int) -> bool:
    """Whether a process has ended, its files closed; it may wait for its parent still.

    The first thread is a zombie once it is over, also while others hold the files.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len(os.listdir(f"/proc/{pid}/task")) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def say(text: str) -> None:
    """Tell the human what takes the time."""
    print(f"lab: {text}", file=sys.stderr, flush=True)
