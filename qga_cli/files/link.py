"""A symbolic link of this host made in a guest."""

import os

from qga_cli.files.facts import seconds
from qga_cli.files.parts import mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.access import Access
    from qga_cli.files.facts import Facts
    from qga_cli.files.transfer import Wishes

# $1 target  $2 name inside it, if it is a folder  $3 what the link says  $4 random  $5 owner
# $6 time
_LINK = r"""
say() { printf '%s: %s\n' "$d" "$1" >&2; exit 1; }
d=$1
[ ! -d "$d" ] || d=${d%/}/$2
[ ! -d "$d" ] || [ -L "$d" ] || say 'is a folder, and a link would replace it'
f=${d%/*}/
[ -d "$f" ] || { d=$f; say 'no such folder'; }
p=$f.$4
ln -s -- "$3" "$p" || exit
[ -z "$5" ] || chown -h -- "$5" "$p" || exit
[ -z "$6" ] || touch -h -d "@$6" -- "$p" 2>/dev/null || touch -h -d "@${6%.*}" -- "$p" || exit
# Not mv alone: it would move into a folder that the old link points to.
[ ! -L "$d" ] || rm -f -- "$d"
mv -f -- "$p" "$d"
"""


def push_link(access: "Access", target: str, path: str, facts: "Facts", wishes: "Wishes") -> None:
    """Make at `target`, or in that folder, the link that is at `path` here."""
    access.needs_exec("copying a symbolic link")
    owner = moment = ""
    if wishes.preserve:
        owner = f"{facts.uid}:{facts.gid}"
        moment = seconds(facts.mtime or 0)
    access.run(_LINK, target, os.path.basename(path), os.readlink(path),
               mark(), owner, moment)  # fmt: skip
