# shellcheck shell=sh
# Makes $2 a hard link to $1.

exec ln -- "$1" "$2"
