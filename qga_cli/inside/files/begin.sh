# shellcheck shell=sh
# After enter.sh and part.sh. $4 1 to be told of the free space.
# Prints, each ended by NUL: the folder, the part's name, the final one, the process that holds both
# (nothing without /proc), the free KiB.

free=
# shellcheck disable=SC2034  # words of df that are not asked for
if [ "$4" ]; then free=$(df -Pk . | { read -r line; read -r line line line free line; echo "$free"; }); fi
holder=
# shellcheck disable=SC2154  # part.sh has set them
[ "$file" = "./$part" ] || holder=$(hold)
# shellcheck disable=SC2154
printf '%s\0' "$PWD" "$part" "$name" "$holder" "$free"
