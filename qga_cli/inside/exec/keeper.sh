# shellcheck shell=sh
# shellcheck disable=SC2086,SC3067  # pids, marks and names are words without blanks; all sh have -O
# shellcheck disable=SC2154  # spools is set in front of this text
# Takes a program's pipes over from its wrapper and holds them open, with spool files.
# $1 the wrapper's pid  $2 its mark  $3 not empty: spool files are wanted
# $4 not empty: the program's input is streamed
# Variable: spools, four names for spool files. They are nobody else's to see before the files are
# there, so they are no arguments, of this script or of any tool it starts.
#
# It is ready when 6 and 7 are no directory any more. Exit code 98: no room for spool files.
# 99: the wrapper was faster.
exec 6</ 7</
{ printf qga >/proc/self/comm; } 2>/dev/null
IFS=' ' read -r spool1 spool2 spool3 spool9 <<.
$spools
.
line=
# One that is just being executed has no words yet, but descriptors (begin_new_exec in fs/exec.c).
until IFS= read -r line </proc/$1/cmdline; [ "$line" ]; do
  [ -e /proc/$1/fd/0 ] || exit 99
  sleep 0.02 || sleep 1
done
case $line in *"# $2") ;; *) exit 99 ;; esac
until [ /proc/$1/fd/2 -ef /proc/$1/fd/6 ]; do
  [ -e /proc/$1/fd/0 ] || exit 99
  sleep 0.02 || sleep 1
done
exec 0<<. 4<>/proc/$1/fd/4 5<>/proc/$1/fd/5

.
# The wrapper may have ended, and its pid and words be another user's: what is his is not written.
for file in /proc/self/fd/4 /proc/self/fd/5 /proc/$1/fd/3; do
  [ -p $file ] && [ -O $file ] || exit 99
done
# No pipe: the program has ended, and the wrapper just reads something else.
if [ "$4" ]; then exec 8<>/proc/$1/fd/0; [ -p /proc/self/fd/8 ] || exec 8>/dev/null; fi
if [ -p /proc/self/fd/0 ]; then read -r line; exec 0<>/proc/self/fd/0
else mkfifo -m 600 /tmp/$2.0 && exec 0<>/tmp/$2.0; rm /tmp/$2.0
fi
[ -p /proc/self/fd/0 ] && [ -O /proc/self/fd/0 ] || exit 98
if [ "$3" ]; then
  umask 077
  # Creates with O_EXCL, so what is there under the name is left alone; a FIFO would be opened
  # all the same, so what was opened is looked at, and never opened by its name again.
  set -C
  dirs=; for dir in /dev/shm /run /tmp /var/tmp; do [ -w $dir ] && dirs="$dirs $dir"; done
  { read -r line
    for dir in $dirs; do read -r line line line free line; [ "$free" -ge 32768 ] && break; dir=
    done; } <<.
$(df -Pk $dirs)
.
  [ "$dir" ] || exit 98
  exec 1>$dir/$spool1 2>$dir/$spool2 3>$dir/$spool3 9>$dir/$spool9
  for file in 1 2 3 9; do
    [ -f /proc/self/fd/$file ] && [ -O /proc/self/fd/$file ] || exit 98
  done
else exec 1<>/proc/self/fd/4 2<>/proc/self/fd/5
fi
# One empty line is in the wrapper's 3: whoever reads it passes the output on.
taken=ended; read -r taken </proc/$1/fd/3
# From here what the shell complains of goes nowhere: it must not get among the program's output.
# 2 is a dd, for the host to start by /proc/PID/fd/2: by that name `pkill -x dd` does not find it. One
# that is a program with others (busybox) goes by its name, and is started by it.
qga_dd=/bin/dd
[ -r /bin/dd ] && ! [ /bin/dd -ef /bin/cat ] || qga_dd=/dev/null
if [ -z "$taken" ]; then
  echo taken >/proc/$1/fd/3
  # Before it is ready: then the host opens our 0, which is another file as long as one is read.
  { read -r timer </proc/$1/fd/7; } 2>/dev/null
  exec 6>&1 7>&2 >/dev/null 2<$qga_dd
fi
[ "$3" ] && rm $dir/$spool1 $dir/$spool2 $dir/$spool3 $dir/$spool9
case $taken in '') ;; ended) exit 99 ;; *) exit 1 ;; esac
[ /proc/$timer/fd/3 -ef /proc/$1/fd/3 ] && kill -9 $timer
# The shell gives what runs in the background /dev/null for stdin, before any redirection of its.
# A sleep that a program has ended by its name is no tick. It reads its own pipe too, so it meets no
# SIGPIPE when the keeper has been killed.
{ ( trap 'kill $!; exit' TERM
  while sleep 20 & wait $!; qga_x=$?; [ $qga_x != 127 ] && [ /proc/$$/fd/0 -ef /proc/self/fd/1 ]
  do [ $qga_x != 0 ] || echo tick; done ) </dev/null 4>&- 5>&- 6>&- 7>&- 8>&- & } >&0
ticker=$!
trap 'kill $ticker' EXIT
silent=0
# It gives up when the host has been silent for three ticks, unless the agent is frozen.
while read -r order pids; do
  case $order in
  beat) silent=0 ;;
  eof) exec 8>&- ;;
  leave|drop) break ;;
  tick) silent=$((silent+1))
    for file in /run/qga.state.isfrozen /run/*/qga.state.isfrozen; do
      [ -e "$file" ] && silent=0
    done
    [ $silent -lt 3 ] || break ;;
  esac
done
# A dd that the host has started may wait for a program that writes next week: found by its words.
if [ "$order" = tick ]; then
  for file in /proc/[0-9]*; do
    [ -O $file ] || continue # another's words are nothing that we should read
    line=; IFS= read -r line <$file/cmdline
    case $line in *f=/proc/$$/fd/[458]*) pids="$pids ${file#/proc/}" ;; esac
  done
fi 2>/dev/null
# By any number: uutils' dd has the pipe open as its 3.
for pid in $pids; do for file in "/proc/$pid/fd"/*; do for pipe in 4 5 8; do
  [ $file -ef /proc/self/fd/$pipe ] && kill $pid && break 2
done; done; done 2>/dev/null
[ "$3" ] && for file in 6 7 3 9; do : >|/proc/self/fd/$file; done
exec 0</dev/null 1>/dev/null 2>&1 3>&- 6>&- 7>&- 8>&- 9>&-
[ "$order" = leave ] || exit
exec 4</proc/self/fd/4 5</proc/self/fd/5
{ exec <&4 4>&- 5>&-; read -r line && exec cat; } &
{ exec <&5 4>&- 5>&-; read -r line && exec cat; } &
