# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # qga_nl and qga_path are for, and from, the line that is evaluated
# Runs a program between two ports; port.sh comes before this. $0 a mark; then the program's words.
# Lines on standard input: the port of its output, what to say there first, the port of its input,
# what stands before its exit code at the end, the program's context.
#
# Closing a port on the host drops what QEMU has not read yet. So the host first sees that the relay
# of the input has written everything: we tell its pid, and /proc/PID/io counts. The relay says it in
# its pipe, and the program starts when it has been told on: nothing of the program's comes before.
IFS= read -r qga_out
IFS= read -r qga_hello
IFS= read -r qga_in
IFS= read -r qga_end
IFS= read -r qga_context
qga_nl='
'
# As in exec/wrapper.sh: a program may end the likes of its parent by name.
{ printf qga >/proc/self/comm; } 2>/dev/null
eval "$qga_context"
case $1 in
*/*) [ -e "$1" ] || exit 127; [ -x "$1" ] && [ ! -d "$1" ] || exit 126 ;;
*) PATH=${qga_path-$PATH} command -v "$1" >/dev/null || exit 127 ;;
esac
open_port "$qga_out" 3 && open_port "$qga_in" 4 || exit 97
echo "$qga_hello" >&3
exec >/dev/null 2>&1
{
  { IFS=' ' read -r qga_pid qga_x </proc/self/stat; echo "$qga_pid"; exec <&4 3>&- 4>&-; become_cat; } |
  { IFS= read -r qga_pid; echo "$qga_pid" >&3
    ( qga_around; exec "$@" ) 3>&- 4>&-; echo "$qga_end $?"; } 4>&- |
  { exec >&3 3>&- 4>&-; become_cat; }
} &
exec 3>&- 4>&-
wait
