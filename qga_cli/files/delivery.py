"""Where a copy comes down in a guest: a private file beside the final name, renamed when proven."""

from qga_cli.errors import BadReply, FileError, QgaError
from qga_cli.files.digest import GuestDigest
from qga_cli.files.facts import seconds
from qga_cli.files.handle import open_handle
from qga_cli.files.parts import mark
from qga_cli.format import size as human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qga_cli.files.access import Access
    from qga_cli.files.facts import Facts
    from qga_cli.files.handle import Handle
    from qga_cli.files.place import Place
    from qga_cli.files.source import Source
    from qga_cli.files.transfer import Wishes

_ROOMY = 16 * 2**20  # bytes; smaller files are not worth asking for the free space first

# A link is followed where it was named itself, and replaced where only its folder was.
# $1 target  $2 name inside it, if it is a folder  $3 1 if it must be one  $4 random
# $5 size, to be told of the free space  $6 1 to look for what an earlier copy has left
# Prints, each ended by NUL: the final name, the part's, the free KiB; then of each
# part left: name, size, digest.
_PREPARE = r"""
umask 077
say() { printf '%s: %s\n' "$d" "$1" >&2; exit 1; }
d=$1
if [ -d "$d" ]; then
  [ "$2" ] || say 'is a folder; give the name of the file too'
  d=${d%/}/$2
  [ ! -d "$d" ] || [ -L "$d" ] || say 'is a folder, and a file would replace it'
elif [ "$3" ]; then
  d=${d%/}
  [ ! -e "$d" ] || say 'is no folder'
  say 'no such folder'
elif [ -L "$d" ]; then t=$(readlink -f -- "$d" && echo x) || say 'a link to nowhere'; d=${t%?x}
fi
[ ! -e "$d" ] || [ -f "$d" ] || [ -L "$d" ] || say 'not a regular file'
f=${d%/*}/
[ -d "$f" ] || { d=$f; say 'no such folder'; }
n=${d##*/}
[ ${#n} -le 200 ] || n=long
p=$f.$n.$4 k=
if [ "$5" ]; then k=$(df -Pk -- "$f" | { read -r _; read -r _ _ _ k _; echo "$k"; }); fi
printf '%s\0' "$d" "$p" "$k"
if [ "$6" ]; then
  for o in "$f.$n."????????????????"${4#????????????????}"; do
    if [ -f "$o" ] && [ ! -L "$o" ] && [ -O "$o" ]; then
      for w in /proc/[0-9]*; do # a killed copy's gzip lives on for a minute, with bytes to write
        [ "$w/fd/1" -ef "$o" ] && kill -9 "${w#/proc/}"
      done 2>/dev/null
      printf '%s\0' "$o" "$(stat -c %s -- "$o")" "$(sha256sum <"$o")"
    fi
  done
else set -C; printf '' >"$p"
fi
"""

# $1 part  $2 final name  $3 digest  $4 mode  $5 owner  $6 time  $7 mode of a new file
# $8 digest of what may be replaced; then parts to remove
_FINISH = r"""
if [ "$3" ]; then
  s=$(sha256sum <"$1") || exit
  [ "${s%% *}" = "$3" ] || exit 66
fi
m=$4 o=$5
if [ -z "$m" ] && [ -e "$2" ] && [ ! -L "$2" ]; then
  # Access lists, security labels and the like: of GNU's cp, where there is one.
  cp --attributes-only --preserve=all --no-preserve=timestamps -- "$2" "$1" 2>/dev/null
  o=$(stat -c %u:%g -- "$2") || exit
  m=$(stat -c %a -- "$2") || exit
fi
m=${m:-$7}
[ -z "$o" ] || chown -- "$o" "$1" || exit
chmod -- "$m" "$1" || exit
[ -z "$6" ] || touch -d "@$6" -- "$1" 2>/dev/null || touch -d "@${6%.*}" -- "$1" || exit
sync -- "$1" 2>/dev/null || sync
if [ -L "$2" ]; then rm -f -- "$2"; fi # it may point to a folder, which mv would enter
[ ! -d "$2" ] || { printf '%s: is a folder\n' "$2" >&2; exit 1; }
case $8 in
'') ;;
absent) [ ! -e "$2" ] || exit 67 ;;
*) s=$(sha256sum <"$2") && [ "${s%% *}" = "$8" ] || exit 67 ;;
esac
mv -f -- "$1" "$2" || exit
shift 8
for o; do
  : >"$o" # a killed copy's handle is still open in the agent, and would keep the space
  rm -f -- "$o"
done
"""

_DIFFERS = "what arrived is not what was sent"
_SAYS = {66: _DIFFERS, 67: "changed in the guest meanwhile, and is left alone"}


class Delivery:
    """One file of a guest that runs programs. `place` may be a folder that `name` goes to."""

    def __init__(self, access: "Access", place: "Place", name: str, wishes: "Wishes") -> None:
        self.chunk = access.agent.transport.write_chunk
        self.access = access
        self._place = place
        self._name = name
        self._wishes = wishes
        self._final = self._part = ""
        self._useless: list[str] = []  # parts that turned out not to be of this file
        self._handle: Handle | None = None
        self._position = 0

    def begin(self, facts: "Facts", prove: "Callable[[int], str] | None") -> int:
        """See Landing.begin."""
        size = facts.size or 0
        start = self._adopt(size, prove) if prove else 0
        if not start:
            free = self._prepare(size)[0]
            if _is_count(free) and size > int(free) * 1024 and not facts.sparse:
                raise FileError(
                    f"{self._place}: {human(size)} are to come and "
                    f"{human(int(free) * 1024)} are free"
                )
        self._position = start
        return start

    def write(self, offset: int, data: bytes) -> None:
        """See Landing.write."""
        if self._handle is None:
            self._handle = open_handle(self.access, self._part, "r+")
            self._handle.seek(offset)
        elif offset != self._position:
            self._handle.seek(offset)
        self._handle.write(data)
        self._position = offset + len(data)

    def fill(self, source: "Source", advance: "Callable[[int], None]", start: int) -> None:
        """Send what `source` has from `start` on packed; the guest unpacks it."""
        from qga_cli.files.squeeze import UNPACK, Outgoing

        def pieces() -> "Iterator[bytes]":
            for offset, data in source.pieces(start, 2**20):
                yield bytes(offset - self._position)
                yield data
                advance(offset + len(data) - self._position)
                self._position = offset + len(data)

        stream = Outgoing(filter(None, pieces()), pack=True)
        script = f'exec {UNPACK} >>"$1"'
        done = self.access.stream(script, self._part, stdin=stream.file(),
                                   stdout=lambda data: None)  # fmt: skip
        if stream.error:
            raise stream.error
        if done.code:
            raise self.access.failure(done)

    def finish(self, facts: "Facts", digest: str) -> None:
        """See Landing.finish. The guest compares, and renames only what is equal."""
        if facts.size is not None and facts.size > self._position:
            self.write(facts.size - 1, b"\0")  # the file ends with a hole
        if self._handle:
            self._handle.flush()
        self._close()
        mode = owner = moment = ""
        if self._wishes.preserve and facts.mtime is not None:
            mode, owner = f"{facts.mode:o}", f"{facts.uid}:{facts.gid}"
            moment = seconds(facts.mtime)
        fresh = f"{facts.mode & 0o755:o}"
        words = (mode, owner, moment, fresh, self._wishes.replaces, *self._useless)
        done = self.access.attempt(_FINISH, self._part, self._final, digest, *words)
        if done.code == 127 and digest:  # no sha256sum there
            if GuestDigest(self.access, self._part, self._position).result() != digest:
                raise FileError(f"{self._place}: {_DIFFERS}")
            done = self.access.attempt(_FINISH, self._part, self._final, "", *words)
        if done.code in _SAYS:
            raise FileError(f"{self._place}: {_SAYS[done.code]}")
        if done.code:
            raise self.access.failure(done)
        self._part = ""

    def abandon(self, *, keep: bool) -> str:
        """See Landing.abandon."""
        self.access.grace()
        try:
            self._close()
        except QgaError as error:
            self.access.agent.trace(1, f"closing the part: {error.message}")
        if not self._part or (keep and self._position):
            return self._part
        self.access.run('rm -f -- "$1"', self._part)
        return ""

    def _prepare(self, size: int, resume: str = "") -> list[str]:
        """Set the final name and the part's; returns the free KiB and what was left earlier."""
        must = "1" if self._place.is_folder else ""
        asked = str(size) if size > _ROOMY else ""
        said = self.access.run(_PREPARE, self._place.path, self._name, must, mark(), asked, resume)
        fields = said.decode("utf-8", "surrogateescape").split("\0")
        if len(fields) < 4 or len(fields) % 3 != 1 or fields.pop():
            name = self.access.agent.name
            raise BadReply(f"{name}: the guest was asked for a part's name and says {said[:80]!r}")
        self._final, self._part = fields[:2]
        return fields[2:]

    def _adopt(self, size: int, prove: "Callable[[int], str]") -> int:
        """Take over the longest part that is equal to the source so far; note the others."""
        left = self._prepare(0, "1")[1:]
        found = [
            (int(length), path, digest[:64])  # sha256sum's line; "" where there is no sha256sum
            for path, length, digest in zip(left[::3], left[1::3], left[2::3], strict=True)
            if _is_count(length)
        ]
        start = 0
        for length, path, digest in sorted(found, reverse=True):
            if not start and 0 < length <= size and digest == prove(length):
                self._part, start = path, length
            else:
                self._useless.append(path)
        return start

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            handle.close()


def _is_count(text: str) -> bool:
    """Whether a guest's word is a number, and no longer than a size can be."""
    return text.isdecimal() and len(text) < 20
