# shellcheck shell=sh
# Empties the file $1, or makes it.

: >"$1"
