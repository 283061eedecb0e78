# shellcheck shell=sh
# Prints the SHA-512 of the first $2 bytes of the file $1. $3 1 if it must not be a link: it was none
# when it was looked at, and what its owner has put there since is not what was asked for.
#
# A pipe takes an emulated guest longer than the digest, so a large file that has so many bytes is
# read without one; should it grow meanwhile, it is read again.

exec <"$1" || exit
if [ "$3" ] && { [ -L "$1" ] || { [ -e /proc/self/fd/0 ] && [ ! "$1" -ef /proc/self/fd/0 ]; }; }; then
  printf '%s: was replaced while it was read\n' "$1" >&2
  exit 1
fi
size() { stat -L -c %s /proc/self/fd/0 2>/dev/null; }
if [ "$2" -ge 1048576 ] && [ "$(size)" = "$2" ]; then
  sum=$(sha512sum) || exit
  [ "$(size)" != "$2" ] || { echo "$sum"; exit; }
  exec </proc/self/fd/0 || exit
fi
head -c "$2" | sha512sum
