# shellcheck shell=sh
# Prints mode, size, blocks, owner, group and time of the file $1. $2 -L to follow links.
# After needs.sh.

needs stat
# shellcheck disable=SC2086  # an option of ours, or none
stat $2 -c '%f %s %b %u %g %.9Y' -- "$1"
