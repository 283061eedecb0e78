"""`qga help`: manual pages, wherever they were installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from qga_cli import catalog
from qga_cli.cli import command_help, help_screens
from qga_cli.errors import UsageError
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TOPICS = ("options", "configuration", "targets", "output", "exit-codes", "transports")


def show_manual(job: Job, *, topic: Sequence[str] = ()) -> Finished:
    """Show the page with man(1), which minds PAGER; else what --help says."""
    words = ["configuration"] if topic == ["config"] else list(topic)
    command = catalog.find(words)
    if command:
        longest = len(command.words)
    else:
        longest = 1 if words and (words[0] in TOPICS or catalog.is_group(words[0])) else 0
    if len(words) > longest:
        raise UsageError(f"no manual page for {' '.join(words)!r}", hint="`qga` lists the commands")
    path = command.words if command else words
    section = "7" if path and path[0] in TOPICS else "1"
    page = _find("-".join(("qga", *path)), section)
    if page and shutil.which("man"):
        with job.interrupt.shield(), job.interrupt.cede():  # Ctrl-C is the pager's
            return Finished(code=subprocess.run(["man", page], check=False).returncode)
    if command:
        sys.stdout.write(command_help.screen(command))
        return Finished()
    sys.stdout.write(help_screens.group(path[0]) if path else help_screens.root())
    return Finished()


def _find(name: str, section: str) -> str:
    """The page's file: beside the sources, or where pip put it; "" for neither."""
    sources = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    share = f"share/man/man{section}"
    home = os.path.expanduser("~/.local")
    for folder in (f"{sources}/man/man{section}", f"{sys.prefix}/{share}", f"{home}/{share}"):
        for ending in ("", ".gz"):
            path = f"{folder}/{name}.{section}{ending}"
            if os.path.exists(path):
                return path
    return ""
