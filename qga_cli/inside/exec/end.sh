# shellcheck shell=sh
# shellcheck disable=SC2086,SC2013,SC2231  # pids, and paths of /proc: no blanks
# Ends a program's process tree. $1 the wrapper's pid  $2 its mark  $3 a signal  $4 hundredths of a
# second until KILL; 0: one signal is all. They are the kernel's: a look takes a slow guest longer
# than the pauses.
#
# The tree is every process with our mark in its environment and whatever descends from the wrapper,
# its timer excepted: a child that clears its environment keeps its parent, one that outlives its
# parent keeps its environment. A pid alone, which may be another's by now, is never trusted.
# A process may go while it is looked at: read then leaves its variable as it was, so that is
# emptied before, or the walk would go down its own pattern without end.
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
# The files of /proc/PID/environ with our mark. A grep without -z (busybox's, mostly) sees each file
# up to its first NUL only; the shell's read leaves NULs out.
marked() {
  if [ "$whole" ]; then grep -lszF "QGA_EXEC=$1" /proc/[0-9]*/environ; return; fi
  for file in /proc/[0-9]*/environ; do
    while line=; IFS= read -r line || [ "$line" ]; do
      case $line in *"QGA_EXEC=$1"*) echo "$file"; break ;; esac
    done <"$file"
  done
}
find() {
  tree='' wrapper=$1
  for file in $(marked $2); do
    file=${file%/environ}; tree="$tree ${file#/proc/}"
  done
  ours $1 $2 && below $1 $2
  for pid in $tree; do below $pid $2; done
  [ "$tree" ]
}
clock() { read -r now line </proc/uptime; now=${now%.*}${now#*.}; }
exec 2>/dev/null
whole=; grep -qzF Name /proc/self/status && whole=1
# A wrapper without a tree has not started the program yet: the name of its user, or its directory,
# may be a server's to know.
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
