# shellcheck shell=sh
# Likewise, of the archive of $2 in the folder $1: its first $4 bytes. $3 -h to follow links.

# shellcheck disable=SC2086  # an option of ours, or none
(cd -P -- "$1" && tar $3 -cf - "$2" 2>/dev/null) | head -c "$4" | gzip -1 -c | wc -c
