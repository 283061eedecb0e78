"""A symbolic link of this host made in a guest."""

from __future__ import annotations

import os

from qga_cli.files.guest.facts import seconds
from qga_cli.files.guest.holder import text
from qga_cli.files.guest.partial import partial_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.copy_file.transfer import CopyOptions
    from qga_cli.files.guest.access import Access
    from qga_cli.files.guest.facts import FileFacts


def push_link(
    access: Access, target: str, path: str, facts: FileFacts, options: CopyOptions
) -> None:
    """Make at `target`, or in that folder, the link that is at `path` here."""
    access.needs_exec("copying a symbolic link")
    owner = moment = ""
    if options.preserve:
        owner = f"{facts.uid}:{facts.gid}"
        moment = seconds(facts.mtime or 0)
    access.run(text("symlink"), target, os.path.basename(path), os.readlink(path), owner, moment,
               stdin=f"{partial_suffix()}\n".encode())  # fmt: skip
