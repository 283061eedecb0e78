"""Completion scripts for bash, zsh and fish, from the command records.

Command names, options, choices and columns are written into the scripts, so that they complete
without starting Python; for guests and what is inside them the scripts call `qga __complete`.
"""

from qga_cli.gen import bash, fish, zsh
from qga_cli.verbs.job import Finished, Job

SHELLS = {"bash": "qga.bash", "zsh": "_qga", "fish": "qga.fish"}


def script(shell: str) -> str:
    """The completion script of one of SHELLS."""
    return {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}[shell]()


def print_completion(job: Job, *, shell: str) -> Finished:
    """`qga completion`."""
    job.streams.stdout.write(script(shell).encode())
    job.streams.stdout.flush()
    return Finished()
