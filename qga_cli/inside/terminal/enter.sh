# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # qga_nl is for the line that is evaluated, which comes in a variable
# Turns into a program, in its context, on a terminal. Words: the program's.
#
# The context comes in a variable: others see our arguments. Exit code 125 for one that is not there.
qga_nl='
'
trap '[ $? != 96 ] || exit 125' EXIT
eval "$QGA_CONTEXT"
unset QGA_CONTEXT
trap - EXIT
refuse() { printf 'qga: %s\n' "$2" >&2; exit "$1"; }
case $1 in
*/*) [ -e "$1" ] || refuse 127 "no program '$1' in the guest"
  [ -x "$1" ] && [ ! -d "$1" ] || refuse 126 "'$1' is not executable in the guest" ;;
*) PATH=${qga_path-$PATH} command -v "$1" >/dev/null || refuse 127 "no program '$1' in the guest" ;;
esac
qga_around
exec "$@"
