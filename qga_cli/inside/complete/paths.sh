# shellcheck shell=sh
# Lists what in the folder $1 begins with $2, folders with a slash at their end. Forks nothing, and
# stops where the answer would grow beyond use.

cd -- "${1:-/}" || exit
n=0
for f in "$2"*; do
  case $f in . | ..) continue ;; esac
  if [ -d "$f" ]; then
    d=/
  else
    d=
    [ -e "$f" ] || [ -L "$f" ] || continue
  fi
  printf '%s\0' "$f$d"
  n=$((n + 1))
  [ $n -gt 2000 ] && break
done
