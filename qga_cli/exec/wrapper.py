"""The shell text that runs around a program in the guest: POSIX sh, with /proc.

`WRAPPER` starts the program with pipes of its own, `KEEPER` carries them on while the output is
streamed, `END` ends a process tree, `DETACHED` starts a program that nobody waits for. They are
constants: pids, marks and signals of ours come as $1, $2 …, what the user gave comes quoted,
what the guest says never becomes code.

Each fork costs an emulated guest 5 ms and each exec 25 ms or more, so the short way has as few as
it can: pipes are here-documents opened once more for reading and writing, without file or mkfifo.
"""

from qga_cli.inside import script

# Exit codes of the wrapper when it has not started the program; the end mark is missing then.
CONTEXT, CANNOT, NOT_EXECUTABLE, NOT_FOUND = 96, 97, 126, 127
# The keeper's: no place for spool files; the wrapper has been faster.
NO_ROOM, TOO_LATE = 98, 99

# The program's pipes, by descriptor: 4 and 5 output, 6 what the shell says of the program's end
# ("Killed"; nothing for INT and PIPE, nothing at all if it is bash). 3 holds an empty line, one
# byte: whoever reads it, the wrapper or a keeper, has the output to pass on, and writes something
# else for the other to read. 7 holds the timer's pid, 9 is our own stderr.
#
# The timer holds the pipes' other ends, so that a program which no keeper has come for does not
# wait for ever: it meets SIGPIPE, or the end of its input, as when its keeper gives up.
#
# At the end the pipes hold what is to be passed on, the mark behind it. Where the last pid says
# that the program was the only process started meanwhile, nobody else can write: one cat passes
# both on, stderr behind stdout. Otherwise one read each does: the mark is in, so it cannot
# wait, and a pipe holds less than that. What a background child writes later is read into
# nothing: SIGPIPE would kill a daemon at its next log line.
WRAPPER = r"""
IFS= read -r end; IFS= read -r context
nl='
'
[ -e /proc/self/fd/0 ] || { echo no /proc >&2; exit 97; }
command -v dd >/dev/null || { echo no dd >&2; exit 97; }
exec 3<<. 4<<. 5<<. 6<<. 9>&2

.

.

.

.
if [ -p /proc/self/fd/3 ]; then
  for pipe in 4 5 6; do read -r line <&$pipe; done; single=1
  exec 3<>/proc/self/fd/3 4<>/proc/self/fd/4 5<>/proc/self/fd/5 6<>/proc/self/fd/6
else for dir in /dev/shm /run /tmp /var/tmp; do mkdir -m 700 $dir/$0 && break; done 2>/dev/null
  cd $dir/$0 && mkfifo -m 600 3 4 5 6 || exit 97
  exec 3<>3 4<>4 5<>5 6<>6; single=0
  cd /; rm -r $dir/$0; echo >&3
fi
eval "$context"
case $1 in
*/*) [ -e "$1" ] || exit 127; [ -x "$1" ] && [ ! -d "$1" ] || exit 126 ;;
*) command -v "$1" >/dev/null || exit 127 ;;
esac
{ LC_ALL=C exec sleep 50 >/dev/null 2>&1 6>&- 9>&-; } &
timer=$!
exec 4>/proc/self/fd/4 5>/proc/self/fd/5 7<<.
$timer
.
exec 2>&6 8>&-
read -r line line line line before 2>&9 </proc/loadavg
( QGA_EXEC=$0; export QGA_EXEC; exec "$@" ) >&4 2>&5 3>&- 4>&- 5>&- 6>&- 7<&- 9>&-
code=$?
read -r line line line line after 2>&9 </proc/loadavg
exec </dev/null
echo >&6; IFS= read -r said <&6
for pipe in 4 5; do echo "$end $code ${said:+killed}${BASH:+killed}" >&$pipe; done
read -r taken <&3
[ /proc/$timer/fd/3 -ef /proc/self/fd/3 ] && kill $timer
[ "$taken" ] && exit $code
echo ended >&3
exec 4</proc/self/fd/4 5</proc/self/fd/5 2>/dev/null 3>&- 6>&- 7<&-
export LC_ALL=C
if [ $single = 1 ] && [ "$after" -eq $((before+1)) ]; then exec cat - /proc/self/fd/5 <&4 9>&-; fi
dd bs=1M count=1 <&4 9>&-; dd bs=1M count=1 <&5 >&9 9>&-
exec >/dev/null 9>&-
{ exec <&4 4<&- 5<&-; read -r rest && exec cat; } &
{ exec <&5 4<&- 5<&-; read -r rest && exec cat; } &
exit $code
"""

KEEPER = script("exec/keeper")

# $1 the wrapper's pid, $2 its mark, $3 a signal, $4 hundredths of a second until KILL; 0: one
# signal is all. They are the kernel's: a look takes a slow guest longer than the pauses. The tree
# is every process with our mark in its environment and whatever descends from the wrapper, its
# timer excepted: a child that clears its environment keeps its parent, one that outlives its parent
# keeps its environment. A pid alone, which may be another's by now, is never trusted. A process may
# go while it is looked at: read then leaves its variable as it was, so that is emptied before, or
# the walk would go down its own pattern without end. A wrapper without a tree has not started the
# program yet: the name of its user, or its directory, may be a server's to know.
END = r"""
ours() { line=; IFS= read -r line </proc/$1/cmdline; case $line in *"# $2") ;; *) false ;; esac; }
below() {
  for list in /proc/$1/task/*/children; do
    pids=; read -r pids <$list
    for pid in $pids; do
      case " $tree " in *" $pid "*) continue ;; esac
      ours $pid $2 || [ /proc/$pid/fd/3 -ef /proc/$wrapper/fd/3 ] || tree="$tree $pid"
      below $pid $2
    done
  done
}
find() {
  tree= wrapper=$1
  for file in $(grep -lsF "QGA_EXEC=$2" /proc/[0-9]*/environ); do
    file=${file%/environ}; tree="$tree ${file#/proc/}"
  done
  ours $1 $2 && below $1 $2
  for pid in $tree; do below $pid $2; done
  [ "$tree" ]
}
clock() { read -r now line </proc/uptime; now=${now%.*}${now#*.}; }
exec 2>/dev/null
until find $1 $2; do ours $1 $2 || exit; sleep 0.2 || sleep 1; done
kill -s $3 $tree; kill -s CONT $tree
[ $4 -gt 0 ] || exit 0
clock; end=$((now+$4))
while [ $now -lt $((end+500)) ]; do
  sleep 0.2 || sleep 1
  find $1 $2 || exit 0
  clock
  [ $now -lt $end ] || kill -s KILL $tree
done
exit 1
"""

# The program takes the place of the shell: its pid is the agent's, which tells its exit code and
# signal itself. The agent keeps 1 MiB of each stream, below what passes through libvirt in one
# reply; what is written beyond is dropped.
DETACHED = r"""
IFS= read -r context
nl='
'
eval "$context"
command -v "$1" >/dev/null || { echo "$1: not found" >&2; exit 127; }
keep() { head -c 1048576; exec cat >/dev/null; }
exec 4<<. 5<<.

.

.
read -r line <&4; read -r line <&5
exec 4<>/proc/self/fd/4 5<>/proc/self/fd/5
{ exec </proc/self/fd/4 4>&- 5>&- 2>/dev/null; keep; } &
{ exec </proc/self/fd/5 4>&- 5>&- >&2 2>/dev/null; keep; } &
exec >/proc/self/fd/4 2>/proc/self/fd/5 4>&- 5>&- "$@"
"""
