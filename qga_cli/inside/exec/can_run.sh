# shellcheck shell=sh
# shellcheck disable=SC2154  # qga_path comes from the program's context, see context.py
# A function for scripts that start a program; they begin with this text.

# Whether $1 can be executed: a path, or a name in the program's PATH. Status 127 and 126 as a shell's.
can_run() {
  case $1 in
  */*) [ -x "$1" ] && [ ! -d "$1" ] && return; qga_left=: qga_sought=$1 ;;
  *) PATH=${qga_path-$PATH} command -v "$1" >/dev/null && return; qga_left=${qga_path-$PATH}: qga_sought=/$1 ;;
  esac
  set --
  while [ "$qga_left" ]; do
    set -- "$@" "${qga_left%%:*}$qga_sought"
    [ ! -f "${qga_left%%:*}$qga_sought" ] || return 126
    qga_left=${qga_left#*:}
  done
  [ ! -e "$1" ] || return 126
  # To a shell what SELinux keeps from root looks like what is not there.
  case $(LC_ALL=C ls -dL -- "$@" 2>&1) in
  *': Permission denied'*) echo 'Permission denied' >&2; return 126 ;;
  esac
  return 127
}
