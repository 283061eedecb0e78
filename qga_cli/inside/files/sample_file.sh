# shellcheck shell=sh
# Prints how few bytes the first $2 bytes of the file $1 are when compressed.

cat -- "$1" | head -c "$2" | gzip -1 -c | wc -c
