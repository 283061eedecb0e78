# shellcheck shell=sh
# Lists a folder. $1 folder or file  $2 1 for hidden names too  $3 1 if $1 is a pattern: what matches
# it is listed, each with its path in a record of its own after its record.
#
# A record ends with NUL, a field with a slash: names of groups have spaces.
# GNU find is one process for all; elsewhere each file costs two, for busybox's stat knows no NUL.
if [ "$3" ] && ! [ -e "$1" ] && ! [ -L "$1" ]; then
  pattern=$1 IFS=
  # shellcheck disable=SC2086  # names, and with this IFS no words
  set -- $1
  IFS=' '
  [ -e "$1" ] || [ -L "$1" ] || { printf '%s: nothing matches\n' "$pattern" >&2; exit 1; }
  if find . -maxdepth 0 -printf '' 2>/dev/null; then
    exec find "$@" -maxdepth 0 -printf '%M/%u/%g/%s/%T@/-//%l\0%p\0'
  fi
  for f; do
    l=; [ ! -L "$f" ] || l=$(readlink -n -- "$f"; echo x)
    printf '%s/-//%s\0%s\0' "$(stat -c "%A/%U/%G/%s/%Y" -- "$f")" "${l%x}" "$f"
  done
  exit
fi
if [ -d "$1" ]; then
  cd -P -- "$1" || exit
  f=. d='-mindepth 1 -maxdepth 1' hide='.*'
  [ -z "$2" ] || hide=/
else
  [ -e "$1" ] || [ -L "$1" ] || { printf '%s: No such file or directory\n' "$1" >&2; exit 1; }
  cd -P -- "${1%/*}/" || exit
  f=./${1##*/} d='-maxdepth 0' hide=/
fi
if find . -maxdepth 0 -printf '' 2>/dev/null; then
  # shellcheck disable=SC2086  # $d is several words
  exec find "$f" $d ! -name "$hide" -printf '%M/%u/%g/%s/%T@/%f//%l\0'
fi
# shellcheck disable=SC2086  # likewise, several words
exec find "$f" $d ! -name "$hide" -exec sh -c '
for f; do
  l=; [ ! -L "$f" ] || l=$(readlink -n -- "$f"; echo x)
  printf "%s/%s//%s\0" "$(stat -c "%A/%U/%G/%s/%Y" -- "$f")" "${f##*/}" "${l%x}"
done' sh {} +
