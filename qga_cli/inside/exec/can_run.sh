# shellcheck shell=sh
# shellcheck disable=SC2154  # qga_path comes from the program's context, see context.py
# A function for scripts that start a program; they begin with this text.

# Whether $1 can be executed: a path, or a name in the program's PATH. Status 127 and 126 as a shell's.
can_run() {
  case $1 in
  */*) [ -e "$1" ] || return 127; [ -x "$1" ] && [ ! -d "$1" ] || return 126 ;;
  *) PATH=${qga_path-$PATH} command -v "$1" >/dev/null || return 127 ;;
  esac
}
