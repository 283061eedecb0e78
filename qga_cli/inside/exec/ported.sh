# shellcheck shell=sh
# shellcheck disable=SC2086,SC2094  # pids are words; what is read and written is a pipe
# shellcheck disable=SC2034  # qga_nl is for the line that is evaluated
# Starts a program whose streams travel through ports; channel/port.sh comes before this. $0 a mark;
# then the program's words. Lines on standard input: for stdout and for stderr each the port, what to
# say there first, the mark of its end; the port of the input or nothing; the program's context; then
# input that is small.
#
# Each stream has a pipe and a relay between pipe and port: a program that opens /dev/stdout anew, or
# leaves a child in the background, must not have the port itself. Relays keep descriptor 3: whoever
# ends the tree knows by it what is not the program's. Exit code 97: no ports, nothing was started.
IFS=' ' read -r qga_out qga_hello qga_end
IFS=' ' read -r qga_err qga_second qga_last
IFS= read -r qga_in
IFS= read -r qga_context
qga_nl='
'
# As in wrapper.sh: a program may end the likes of its parent by name.
{ printf qga >/proc/self/comm; } 2>/dev/null
trap : HUP INT TERM
[ -e /proc/self/fd/0 ] || { echo no /proc >&2; exit 97; }
eval "$qga_context"
can_run "$1" || exit
open_port "$qga_out" 3 && open_port "$qga_err" 4 || exit 97
[ -z "$qga_in" ] || { relays_input && open_port "$qga_in" 5; } || exit 97
# Pipes: 6 and 7 output, 8 what the shell says of the program's end, see wrapper.sh; 9 input.
exec 6<<. 7<<. 8<<. 9<<.

.

.

.

.
[ -p /proc/self/fd/6 ] || { echo 'here-documents are no pipes' >&2; exit 97; }
for qga_pipe in 6 7 8 9; do read -r qga_x <&$qga_pipe; done
exec 6<>/proc/self/fd/6 7<>/proc/self/fd/7 8<>/proc/self/fd/8 9<>/proc/self/fd/9
qga_feeder=
if [ "$qga_in" ]; then
  exec </proc/self/fd/9
  exec 9>/proc/self/fd/9
  { exec <&5 >&9 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; become_input; } &
  qga_feeder=$!
  exec 5>&-
fi
# A reader is there all the time: the child has 9 from the beginning.
exec 9</proc/self/fd/6
{ exec <&9 >&3 2>/dev/null 4>&- 6>&- 7>&- 8>&- 9<&-; become cat; } &
qga_first=$!
exec 9</proc/self/fd/7
{ exec <&9 >&4 2>/dev/null 4>&- 6>&- 7>&- 8>&- 9<&-; become cat; } &
qga_other=$!
qga_relays="$qga_first $qga_other $qga_feeder"
exec 9<&- 6>/proc/self/fd/6 7>/proc/self/fd/7
# The host may have taken the ports away meanwhile, for others.
echo "$qga_second" >&4 && echo "$qga_hello$qga_nl$qga_relays" >&3 || exit 97
exec >/dev/null 2>&8
( qga_around; QGA_EXEC=$0; export QGA_EXEC; exec "$@" ) >&6 2>&7 3>&- 4>&- 6>&- 7>&- 8>&-
qga_code=$?
# See orphan.sh.
{ printf qga-over >/proc/self/comm; } 2>/dev/null
exec </dev/null
echo >&8; IFS= read -r qga_said <&8
exec 2>/dev/null
qga_how="$qga_code ${qga_said:+killed}${BASH:+killed}"
echo "$qga_last $qga_how" >&7
echo "$qga_end $qga_how" >&6
# From here on the relays come to the end of their pipes, unless a child in the background can still
# write. The ends that we read are for it: SIGPIPE would kill a daemon at its next log line.
exec 6</proc/self/fd/6 7</proc/self/fd/7 8>&-
# The host closes its end when it has both marks, or when it dies.
read -r qga_x <&3
# A relay that has found its end is waited for; one that has not, or was killed, leaves its pipe to
# what reads it into nothing.
[ /proc/$qga_first/fd/3 -ef /proc/self/fd/3 ] || { wait $qga_first && exec 6<&-; }
[ /proc/$qga_other/fd/3 -ef /proc/self/fd/3 ] || { wait $qga_other && exec 7<&-; }
for qga_pid in $qga_relays; do # one that ended long ago, as that of the input: another's by now
  [ /proc/$qga_pid/fd/3 -ef /proc/self/fd/3 ] && kill -9 $qga_pid
done
exec 3>&- 4>&-
if [ -e /proc/self/fd/6 ]; then { exec <&6 6<&- 7<&-; read -r qga_x && exec cat; } & fi
if [ -e /proc/self/fd/7 ]; then { exec <&7 6<&- 7<&-; read -r qga_x && exec cat; } & fi
exit $qga_code
