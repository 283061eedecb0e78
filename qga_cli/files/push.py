"""A tree of this host brought into a guest, as one tar stream."""

import hashlib

from qga_cli.errors import BadReply, FileError, QgaError, Refused
from qga_cli.files.access import Access, needing
from qga_cli.files.facts import seconds
from qga_cli.files.packing import SAMPLE, packs, pays_here
from qga_cli.files.parts import mark
from qga_cli.files.squeeze import UNPACK, Outgoing
from qga_cli.files.tar_writer import TarWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qga_cli.exec.run import Completed
    from qga_cli.files.transfer import Wishes

_PIECE = 2**18
_CUT = b"Wrote only"
_NO_ROOM = (b"No space left on device", b"Disk quota exceeded", b"File too large")

# $1 target  $2 name to get inside it, if it is there; "" for none  $3 random
# $4 1 if it must be there  $5 1 to remove what an earlier copy has left
# Prints, each ended by NUL: the final name, the folder to fill first.
_PREPARE = r"""
umask 077
say() { printf '%s: %s\n' "$d" "$1" >&2; exit 1; }
d=$1
while [ "$d" != "${d%/}" ]; do d=${d%/}; done
[ ! -d "$d/" ] || [ -z "$2" ] || d=$d/$2
if [ -d "$d/" ]; then s=$d/.$3
elif [ "$4" ]; then [ ! -e "$d" ] || say 'is no folder'; say 'no such folder'
else
  [ ! -e "$d" ] && [ ! -L "$d" ] || say 'is no folder, and a folder would replace it'
  [ -d "${d%/*}/" ] || { d=${d%/*}; say 'no such folder'; }
  n=${d##*/}
  [ ${#n} -le 200 ] || n=long
  s=${d%/*}/.$n.$3
fi
if [ "$5" ]; then
  for o in "${s%????????????????"${3#????????????????}"}"????????????????"${3#????????????????}"; do
    if [ -d "$o" ] && [ ! -L "$o" ] && [ -O "$o" ]; then rm -rf -- "$o" "$o.fifo"; fi
  done
fi
mkdir -- "$s" && printf '%s\0' "$d/" "$s"
"""

# $1 folder  $2 tar's options. Prints the digest of the stream. Where tar fails, what follows it
# may say why; what it has written lies in the folder, to be removed with it.
_UNPACK = (
    needing("tar tee mkfifo sha256sum")
    + r"""
cd -P -- "$1" || exit
f=$1.fifo
mkfifo -m 600 -- "$f" || exit
trap 'rm -f -- "$f"' EXIT
trap 'exit 143' HUP INT TERM
{
  tar -xpf - $2; r=$?
  [ $r = 0 ] || head -c 65536 /dev/zero >.full
  cat >/dev/null; exit $r
} <"$f" &
s=$(@UNPACK tee -- "$f" | sha256sum)
wait $! || exit
echo "${s%% *}"
"""
)

_TOUCH = """touch -d "@$2" -- "$1" 2>/dev/null || exec touch -d "@${2%.*}" -- "$1" """

# $1 filled folder  $2 final name  $3 1 if the files that are replaced hand on mode, owner and
# the like, at two processes for each. A folder that is there is filled, file by file renamed; first
# it is made sure that no folder would have to replace a file, nor a file a folder. Files are never
# looped over, only folders, which a pattern that ends in a slash finds: a shell is slow.
_SETTLE = r"""
say() { printf '%s: a folder and a file cannot replace each other\n' "$1" >&2; exit 1; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
folder() { [ -d "$1" ] && [ ! -L "$1" ]; }
look() { # $1 from  $2 to
  for t in "$2"/*/ "$2"/.[!.]*/ "$2"/..?*/; do
    t=${t%/}
    e=$1/${t##*/}
    folder "$t" && there "$e" || continue
    folder "$e" || say "$t"
    ( look "$e" "$t" ) || exit
  done
  for e in "$1"/*/ "$1"/.[!.]*/ "$1"/..?*/; do
    e=${e%/}
    t=$2/${e##*/}
    folder "$e" && there "$t" || continue
    folder "$t" || say "$t"
  done
}
move() { # $1 from  $2 to
  cd -P -- "$1" || exit
  for e in ./*/ ./.[!.]*/ ./..?*/; do
    e=${e%/}
    t=$2/${e#./}
    folder "$e" && folder "$t" || continue
    ( move "$1/${e#./}" "$t" ) && rmdir -- "$e" || exit
  done
  t=$2
  set -- ./*; there "$1" || shift
  set -- ./.[!.]* "$@"; there "$1" || shift
  set -- ./..?* "$@"; there "$1" || shift
  while [ $# -gt 500 ]; do
    eval "mv -f -- $many \"\$t/\"" || exit
    shift 500
  done
  [ $# = 0 ] || mv -f -- "$@" "$t/" || exit
}
keep() { # $1 from  $2 to
  cd -P -- "$1" || exit
  for e in ./* ./.[!.]* ./..?*; do
    t=$2/$e
    [ -f "$t" ] && [ ! -L "$t" ] && [ -f "$e" ] || continue
    cp --attributes-only --preserve=all --no-preserve=timestamps -- "$t" "$e" 2>/dev/null
    o=$(stat -c '%a %u:%g' -- "$t" "$e") || exit
    n=${o##*"$nl"} o=${o%%"$nl"*}
    [ "$o" = "$n" ] || { chown -- "${o#* }" "$e" && chmod -- "${o% *}" "$e"; } || exit
  done
}
nl='
'
f=${2%/}
if [ -d "$2" ]; then
  ( look "$1" "$f" ) || exit
  [ -z "$3" ] || ( keep "$1" "$f" ) || exit
  many= i=0
  while [ $i -lt 500 ]; do i=$((i+1)); many="$many \"\${$i}\""; done
  ( move "$1" "$f" ) || exit
  rm -rf -- "$1"
else mv -- "$1" "$f"
fi
"""


class Push:
    """One tree on its way into a guest. `name` is what it is called in a folder that is there."""

    def __init__(
        self, access: Access, target: str, name: str, wishes: "Wishes", *, must: bool = False
    ) -> None:
        access.needs_exec("copying a folder")
        self._access = access
        self._wishes = wishes
        self._keeps = must and not wishes.preserve
        self.final, self.stage = "", ""
        said = access.run(_PREPARE, target, name, mark(),
                          "1" if must else "", "1" if wishes.resume else "")  # fmt: skip
        fields = said.decode("utf-8", "surrogateescape").split("\0")
        if len(fields) != 3 or fields[2]:
            asked = f"{access.agent.name}: the guest was asked for a folder's name"
            raise BadReply(f"{asked} and says {said[:80]!r}")
        self.final, self.stage = fields[:2]

    def send(self, writer: TarWriter, advance: "Callable[[int], None]") -> None:
        """Fill the stage from `writer`. Raises FileError unless the guest has read the same."""
        digest = hashlib.sha256()

        full = False

        def pieces() -> "Iterator[bytes]":
            while not full and (data := writer.read(_PIECE)):
                digest.update(data)
                advance(len(data))
                yield data

        def heed(data: bytes) -> None:  # tar itself goes on to the end, which may be hours away
            nonlocal full
            full = full or any(word in data for word in (_CUT, *_NO_ROOM))

        wish = self._wishes.compress or "auto"
        packed = packs(self._access, wish, lambda: pays_here(writer.peek(SAMPLE)))
        script = _UNPACK.replace("@UNPACK", f"{UNPACK} |" if packed else "")
        stream = Outgoing(pieces(), pack=packed)
        options = "" if self._wishes.preserve else "-o -m"
        said = bytearray()
        done = self._access.stream(script, self.stage, options, stdin=stream.file(),
                                   stdout=said.extend, heed=heed)  # fmt: skip
        if stream.error:
            raise stream.error
        if done.code:
            raise self._failure(done)
        if bytes(said).strip() != digest.hexdigest().encode():
            raise FileError(f"{self._access.agent.name}: what arrived is not what was sent")

    def link(self, first: str, inner: str) -> None:
        """Make a hard link to what has come as `first`."""
        self._access.run('exec ln -- "$1" "$2"', f"{self.stage}/{first}", f"{self.stage}/{inner}")

    def touch(self, inner: str, mtime: int) -> None:
        """Give a folder of the tree its time again, after something was put into it."""
        self._access.run(_TOUCH, f"{self.stage}/{inner}", seconds(mtime))

    def _failure(self, done: "Completed") -> Refused:
        """The error for a tar that failed. GNU tar says of a file's last bytes how many there was
        room for, and not that there was no more (write_error_details in paxutils)."""
        error = self._access.failure(done)
        if _CUT.decode() in error.message:
            ends = [line.rpartition(b": ")[2] for line in done.stderr.splitlines()]
            error.message += next((f": {end.decode()}" for end in ends if end in _NO_ROOM), "")
        return error

    def settle(self) -> None:
        """Put the tree in its place."""
        self._access.run(_SETTLE, self.stage, self.final, "1" if self._keeps else "")
        self.stage = ""

    def abandon(self) -> None:
        """Remove what has come."""
        self._access.grace()
        try:
            if self.stage:
                self._access.run('rm -rf -- "$1" "$1.fifo"', self.stage)
        except QgaError as error:
            self._access.agent.trace(0, f"{self.stage} could not be removed: {error.message}")
