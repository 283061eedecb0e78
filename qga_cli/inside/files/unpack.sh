# shellcheck shell=sh disable=SC2154
# Adds standard input to the part, unpacked if $1 says by what. After held.sh.

exec 9>>"$file" || exit
# shellcheck disable=SC2086  # a command line of ours
${1:-cat} >&9
