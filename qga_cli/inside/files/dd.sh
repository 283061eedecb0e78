# shellcheck shell=sh
# dd, in a shell, for words may be bytes that JSON cannot carry.

exec dd "$@"
