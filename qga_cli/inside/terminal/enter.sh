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
can_run "$1" || {
  qga_code=$?
  case $qga_code in
  127) printf "qga: no program '%s' in the guest\n" "$1" ;;
  *) printf "qga: '%s' is not executable in the guest\n" "$1" ;;
  esac >&2
  exit $qga_code
}
qga_around
exec "$@"
