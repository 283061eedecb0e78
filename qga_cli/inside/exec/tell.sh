# shellcheck shell=sh
# Gives the keeper the order $1 by its pipe $2, where file commands are blocked.

# shellcheck disable=SC3067  # dash, busybox, bash and ksh have -O
[ -p "$2" ] && [ -O "$2" ] && echo "$1" >"$2"
