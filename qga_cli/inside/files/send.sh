# shellcheck shell=sh
# Prints $3 bytes of the file $1 from byte $2 on, the first of which is 1.

if [ "$2" = 1 ]; then exec head -c "$3" <"$1"; fi
exec <"$1" && tail -c "+$2" | head -c "$3"
