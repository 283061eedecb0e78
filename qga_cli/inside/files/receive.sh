# shellcheck shell=sh disable=SC2154
# Adds $1 bytes of standard input to the part. After held.sh.

exec 9>>"$file" || exit
head -c "$1" >&9
