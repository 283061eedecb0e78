# shellcheck shell=sh
# Prints what matches a pattern. $1 the pattern
#
# A file whose own name looks like a pattern is itself. NUL stands after each name.
if [ -e "$1" ] || [ -L "$1" ]; then printf '%s\0' "$1"; exit; fi
IFS=
# shellcheck disable=SC2086  # names, and with this IFS no words
for f in $1; do
  if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\0' "$f"; fi
done
