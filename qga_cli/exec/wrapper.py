"""The shell text that runs around a program in the guest: POSIX sh, with /proc.

`WRAPPER` starts the program with pipes of its own, `KEEPER` carries them on while the output is
streamed, `END` ends a process tree, `DETACHED` starts a program that nobody waits for. They are
constants: pids, marks and signals of ours come as $1, $2 …, what the user gave comes quoted,
what the guest says never becomes code.

Each fork costs an emulated guest 5 ms and each exec 25 ms or more, so the short way has as few as
it can: pipes are here-documents opened once more for reading and writing, without file or mkfifo.
"""

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

# $1 the wrapper's pid, $2 its mark, $3 a name for spool files, or empty where none are wanted,
# $4 not empty if the program's input is streamed.
#
# It takes the pipes over from the wrapper and holds them open, with spool files whose names it
# removes. When it has done so, descriptors 6 and 7 are two spool files for stdout, or the pipes
# themselves; before they are a directory, lest the shell use them for something that the host
# could take for ready. 9 is stderr's spool file, 3 stdin's, 8 the program's stdin. What the shell
# complains of goes nowhere from then on: it must not get among the program's output.
# The wrapper is ready when its own stderr goes to its descriptor 6.
# It gives up when the host has been silent for three ticks, unless the agent is frozen. A dd that
# the host has started may then wait for a program that writes next week: it is found by its pipe.
KEEPER = r"""
exec 6</ 7</
IFS= read -r line </proc/$1/cmdline
case $line in *"# $2") ;; *) exit 99 ;; esac
until [ /proc/$1/fd/2 -ef /proc/$1/fd/6 ]; do
  [ -e /proc/$1/fd/0 ] || exit 99
  sleep 0.02 || sleep 1
done
exec 0<<. 4<>/proc/$1/fd/4 5<>/proc/$1/fd/5

.
if [ "$4" ]; then exec 8<>/proc/$1/fd/0; fi
if [ -p /proc/self/fd/0 ]; then read -r line; exec 0<>/proc/self/fd/0
else mkfifo -m 600 /tmp/$2.0 && exec 0<>/tmp/$2.0; rm /tmp/$2.0
fi
if [ "$3" ]; then
  umask 077; set -C
  dirs=; for dir in /dev/shm /run /tmp /var/tmp; do [ -w $dir ] && dirs="$dirs $dir"; done
  { read -r line
    for dir in $dirs; do read -r line line line free line; [ "$free" -ge 32768 ] && break; dir=
    done; } <<.
$(df -Pk $dirs)
.
  [ "$dir" ] || exit 98
  exec 1>$dir/$3.1 2>$dir/$3.2 3>$dir/$3.3 9>$dir/$3.9
else exec 1<>/proc/self/fd/4 2<>/proc/self/fd/5
fi
taken=ended; read -r taken </proc/$1/fd/3
if [ -z "$taken" ]; then echo taken >/proc/$1/fd/3; exec 6>&1 7>&2 >/dev/null 2>&1; fi
[ "$3" ] && rm $dir/$3.1 $dir/$3.2 $dir/$3.3 $dir/$3.9
case $taken in '') ;; ended) exit 99 ;; *) exit 1 ;; esac
read -r timer </proc/$1/fd/7
[ /proc/$timer/fd/3 -ef /proc/$1/fd/3 ] && kill $timer
# The shell gives what runs in the background /dev/null for stdin, before any redirection of its.
{ ( trap 'kill $!; exit' TERM
  while sleep 20 & wait $!; do echo tick; done ) </dev/null 4>&- 5>&- 6>&- 7>&- 8>&- & } >&0
ticker=$!
trap 'kill $ticker' EXIT
silent=0
while read -r order pids; do
  case $order in
  beat) silent=0 ;;
  eof) exec 8>&- ;;
  leave|drop) break ;;
  tick) silent=$((silent+1))
    for file in /run/qga.state.isfrozen /run/*/qga.state.isfrozen; do
      [ -e $file ] && silent=0
    done
    [ $silent -lt 3 ] || break ;;
  esac
done
if [ $order = tick ]; then
  for file in /proc/[0-9]*; do
    [ $file/fd/0 -ef /proc/self/fd/4 ] || [ $file/fd/0 -ef /proc/self/fd/5 ] ||
      [ $file/fd/1 -ef /proc/self/fd/8 ] && pids="$pids ${file#/proc/}"
  done
fi
for pid in $pids; do for pipe in 4 5 8; do for end in 0 1; do
  [ /proc/$pid/fd/$end -ef /proc/self/fd/$pipe ] && kill $pid
done; done; done 2>/dev/null
[ "$3" ] && for file in 6 7 3 9; do : >|/proc/self/fd/$file; done
exec 0</dev/null 1>/dev/null 2>&1 3>&- 6>&- 7>&- 8>&- 9>&-
[ $order = leave ] || exit
exec 4</proc/self/fd/4 5</proc/self/fd/5
{ exec <&4 4>&- 5>&-; read -r line && exec cat; } &
{ exec <&5 4>&- 5>&-; read -r line && exec cat; } &
"""

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
