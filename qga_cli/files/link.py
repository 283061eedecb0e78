"""A symbolic link of this host made in a guest."""

import os

from qga_cli.files.facts import seconds
from qga_cli.files.holder import text
from qga_cli.files.parts import mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.access import Access
    from qga_cli.files.facts import Facts
    from qga_cli.files.transfer import Wishes


def push_link(access: "Access", target: str, path: str, facts: "Facts", wishes: "Wishes") -> None:
    """Make at `target`, or in that folder, the link that is at `path` here."""
    access.needs_exec("copying a symbolic link")
    owner = moment = ""
    if wishes.preserve:
        owner = f"{facts.uid}:{facts.gid}"
        moment = seconds(facts.mtime or 0)
    access.run(text("symlink"), target, os.path.basename(path), os.readlink(path), owner, moment,
               stdin=f"{mark()}\n".encode())  # fmt: skip
