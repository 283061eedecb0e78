# shellcheck shell=sh
# shellcheck disable=SC2013,SC2086,SC2034  # pids; line is for what is not needed
# Comes before end.sh, where the qga of a program has died: finds the program's wrapper, and goes on
# if the program runs still. $1 the mark of both  $2 a signal  $3 hundredths of a second until KILL;
# 0: one signal is all. Exit code 9: there is no such wrapper.
#
# The mark alone is known: the reply with the pid may never have come. What the wrapper has forked
# and not executed yet has its words too, and a parent that has them. Once the program has ended the
# wrapper changes its name: then what is left with the mark is in the background, and stays.
#
# Nobody needs the program's relays any more, and one may hold its port as long as the program stays.
exec 2>/dev/null
likely=' '
for file in /proc/[0-9]*/cmdline; do
  line=; IFS= read -r line <$file
  case $line in *"# $1") file=${file%/cmdline}; likely="$likely${file#/proc/} " ;; esac
done
wrapper=
for pid in $likely; do
  parent=; IFS=' ' read -r line line line parent line </proc/$pid/stat
  case $likely in *" $parent "*) ;; *) wrapper=$pid ;; esac
done
[ "$wrapper" ] || exit 9
line=; read -r line </proc/$wrapper/comm
[ "$line" != qga-over ] || exit 0
for pid in $(cat /proc/$wrapper/task/*/children); do
  [ /proc/$pid/fd/3 -ef /proc/$wrapper/fd/3 ] && kill -9 $pid
done
set -- $wrapper $1 $2 $3
