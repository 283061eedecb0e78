# shellcheck shell=sh
# Prints the size of the file $1, links followed.

stat -L -c %s -- "$1"
