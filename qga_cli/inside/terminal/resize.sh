# shellcheck shell=sh
# Gives the terminal in the folder $1 so many rows $2 and columns $3.

stty -F "$(cat "$1/tty")" rows "$2" cols "$3"
