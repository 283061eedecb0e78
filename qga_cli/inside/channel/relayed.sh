# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # qga_x is the rest of a line; qga_end comes from stream.sh
# Runs the program between pipes; stream.sh comes before this.
#
# Closing a port on the host drops what QEMU has not read yet. So the host first sees that the relay
# of the input has written everything: we tell its pid, and /proc/PID/io counts. The relay says it in
# its pipe, and the program starts when it has been told on: nothing of the program's comes before.
{
  { IFS=' ' read -r qga_pid qga_x </proc/self/stat; echo "$qga_pid"; exec <&4 3>&- 4>&-; become_input; } |
  { IFS= read -r qga_pid; echo "$qga_pid" >&3
    ( qga_around; exec "$@" ) 3>&- 4>&-; echo "$qga_end $?"; } 4>&- |
  { exec >&3 3>&- 4>&-; become cat; }
} &
exec 3>&- 4>&-
wait
