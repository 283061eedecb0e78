# shellcheck shell=sh
# shellcheck disable=SC2086,SC2094,SC3067,SC3038  # numbers; what is read and written is a pipe; -O is everywhere
# shellcheck disable=SC2034  # qga_nl is for the line that is evaluated
# Starts a program with pipes of its own. $0 a mark; then the program's words.
# Standard input: a line, the end mark; a line, the program's context; then the program's input. Where
# there is no input the two stand in variables already.
#
# Each fork costs an emulated guest 5 ms and each exec 25 ms or more, so the short way has as few
# as it can: pipes are here-documents opened once more, without file or mkfifo.
[ "$qga_end" ] || { IFS= read -r qga_end; IFS= read -r qga_context; }
qga_nl='
'
# Git for Windows brings a sh, whose files are not those of the agent.
[ "$OS" != Windows_NT ] || { echo a shell on Windows >&2; exit 97; }
[ -e /proc/self/fd/0 ] || { echo no /proc >&2; exit 97; }
# A program that ends its parent by its name (`pkill -x sh`, `pkill -f` of its own words) is no
# surprise. A handler, not '': what is started gets the signals' defaults. But a TERM that meets a
# child before it has done so is lost: what may be as young as that is killed by 9.
{ printf qga >/proc/self/comm; } 2>/dev/null
trap : HUP INT TERM
command -v dd >/dev/null || { echo no dd >&2; exit 97; }
# The program's pipes: 4 and 5 output, 6 what the shell says of the program's end ("Killed"; nothing
# for INT and PIPE, nothing at all if it is bash). 3 holds an empty line, one byte: whoever reads it,
# this or a keeper, has the output to pass on, and writes something else for the other to read.
# 7 holds the timer's pid, 9 is our own stderr.
exec 3<<. 4<<. 5<<. 6<<. 9>&2

.

.

.

.
if [ -p /proc/self/fd/3 ]; then
  for qga_pipe in 4 5 6; do read -r qga_x <&$qga_pipe; done; qga_single=1
  exec 3<>/proc/self/fd/3 4<>/proc/self/fd/4 5<>/proc/self/fd/5 6<>/proc/self/fd/6
else
  for qga_dir in /dev/shm /run /tmp /var/tmp; do mkdir -m 700 $qga_dir/$0 && break; qga_dir=; done 2>/dev/null
  [ "$qga_dir" ] && cd $qga_dir/$0 && [ -O . ] && mkfifo -m 600 3 4 5 6 || exit 97
  # shellcheck disable=SC2210  # files of these names
  exec 3<>3 4<>4 5<>5 6<>6; qga_single=0
  cd /; rm -r ${qga_dir:?}/$0; echo >&3
fi
# Words and directory of the program, and qga_around, which sets its variables.
eval "$qga_context"
can_run "$1" || exit
# The timer holds the pipes' other ends, so that a program which no keeper has come for does not
# wait for ever: it meets SIGPIPE, or the end of its input, as when its keeper gives up.
# What is executed through a descriptor has its number for a name, so `pkill -x sleep` passes it by.
# A sleep that is one program with others goes by its name; busybox's shell can give it one.
{ exec >/dev/null 2>&1 6>&- 9>&-
  [ -r /bin/sleep ] || exec sleep 50
  exec 9</bin/sleep
  [ /bin/sleep -ef /bin/cat ] || exec /proc/self/fd/9 50
  [ /bin/sleep -ef /proc/self/exe ] || exec sleep 50
  exec -a sleep /proc/self/fd/9 50; } &
qga_timer=$!
exec 4>/proc/self/fd/4 5>/proc/self/fd/5 7<<.
$qga_timer
.
# Before 2 says that a keeper may come: it opens our 0, which is another file meanwhile.
read -r qga_x qga_x qga_x qga_x qga_before </proc/loadavg
exec 2>&6 8>&-
# The user's variables are set here and nowhere else: no name of his is one of ours.
( qga_around; QGA_EXEC=$0; export QGA_EXEC; exec "$@" ) >&4 2>&5 3>&- 4>&- 5>&- 6>&- 7<&- 9>&-
qga_code=$?
read -r qga_x qga_x qga_x qga_x qga_after 2>&9 </proc/loadavg
# The pipes hold what is to be passed on; the mark goes after it.
exec </dev/null
echo >&6; IFS= read -r qga_said <&6
for qga_pipe in 4 5; do echo "$qga_end $qga_code ${qga_said:+killed}${BASH:+killed}" >&$qga_pipe; done
read -r qga_taken <&3
[ /proc/$qga_timer/fd/3 -ef /proc/self/fd/3 ] && kill -9 $qga_timer
[ "$qga_taken" ] && exit $qga_code
echo ended >&3
exec 4</proc/self/fd/4 5</proc/self/fd/5 2>/dev/null 3>&- 6>&- 7<&-
export LC_ALL=C
# Where the last pid says that the program was the only process started meanwhile, nobody else can
# write: one cat passes both on, stderr after stdout.
if [ $qga_single = 1 ] && [ "$qga_after" -eq $((qga_before+1)) ]; then exec cat - /proc/self/fd/5 <&4 9>&-; fi
# Else one read each: the mark is in, so it cannot wait, and a pipe holds less than that.
dd bs=1M count=1 <&4 9>&-; dd bs=1M count=1 <&5 >&9 9>&-
# What a background child writes later is read into nothing: SIGPIPE would kill a daemon at its next
# log line.
exec >/dev/null 9>&-
{ exec <&4 4<&- 5<&-; read -r qga_x && exec cat; } &
{ exec <&5 4<&- 5<&-; read -r qga_x && exec cat; } &
exit $qga_code
