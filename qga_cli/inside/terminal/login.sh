# shellcheck shell=sh
# A login shell of the user $1, by whichever program of the guest makes one.

command -v su >/dev/null && exec su -l -- "$1"
exec runuser -l -- "$1"
