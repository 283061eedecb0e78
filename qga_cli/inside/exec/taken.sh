# shellcheck shell=sh
# Whether the keeper has taken over: until then its descriptor $1 is a directory.

[ -e "$1" ] && [ ! -d "$1" ]
