# shellcheck shell=sh
# Prints $3 bytes of the file $1, compressed, from byte $2 on, the first of which is 1.

exec <"$1" && tail -c "+$2" | head -c "$3" | gzip -1 -c
