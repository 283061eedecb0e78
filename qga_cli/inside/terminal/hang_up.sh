# shellcheck shell=sh
# Ends the first script(1) of the terminal in the folder $1: the kernel hangs up.

kill -9 "$(cat "$1/session")"
