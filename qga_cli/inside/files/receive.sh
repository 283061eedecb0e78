# shellcheck shell=sh disable=SC2154
# Adds $1 bytes of standard input to the part. After held.sh.
#
# head reads and writes 8 KiB at a time, which takes an emulated guest twice as long as a dd with
# larger blocks. A dd that does not know the words (toybox, an old busybox) has read nothing.

exec 9>>"$file" || exit
if [ "$1" -ge 1048576 ]; then
  if said=$(dd bs=1048576 iflag=fullblock count=$(($1 / 1048576)) 2>&1 >&9); then
    set -- $(($1 % 1048576))
  elif dd iflag=fullblock count=0 2>/dev/null </dev/null; then
    echo "$said" >&2
    exit 1
  fi
fi
[ "$1" = 0 ] || head -c "$1" >&9
