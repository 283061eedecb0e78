# shellcheck shell=sh
# Prints the SHA-256 of the first $2 bytes of the file $1. $3 1 if it must not be a link: it was none
# when it was looked at, and what its owner has put there since is not what was asked for.

exec <"$1" || exit
if [ "$3" ] && { [ -L "$1" ] || { [ -e /proc/self/fd/0 ] && [ ! "$1" -ef /proc/self/fd/0 ]; }; }; then
  printf '%s: was replaced while it was read\n' "$1" >&2
  exit 1
fi
head -c "$2" | sha256sum
