#!/bin/sh
# Runs a command N times, a process each. Arguments: N COMMAND ARG...
i=$1
shift
while [ "$i" -gt 0 ]; do
    "$@"
    i=$((i - 1))
done
