# shellcheck shell=sh
# Lists the programs in PATH that begin with $1. Forks nothing, and stops as paths.sh does.

IFS=:
n=0
for d in $PATH; do
  for f in "$d/$1"*; do
    [ -x "$f" ] && [ ! -d "$f" ] && printf '%s\0' "${f##*/}"
    n=$((n + 1))
    [ $n -gt 2000 ] && break
  done
done
