# shellcheck shell=sh
# shellcheck disable=SC2086  # pids
# Lets a program go on whose streams travelled through ports: its output goes nowhere from now on.
# $1 the wrapper's pid  $2... the relays' pids, those of the output first
qga_wrapper=$1
shift
for qga_pid in "$1" "$2"; do
  # A pid may be another's by now.
  [ /proc/$qga_pid/fd/3 -ef "/proc/$qga_wrapper/fd/3" ] || continue
  { exec cat <"/proc/$qga_pid/fd/0" >/dev/null 2>&1; } &
  until [ -e /proc/$!/fd/0 ] && [ /proc/$!/fd/0 -ef "/proc/$qga_pid/fd/0" ]; do
    [ -e /proc/$! ] || break
  done
done 2>/dev/null
for qga_pid; do
  [ /proc/$qga_pid/fd/3 -ef "/proc/$qga_wrapper/fd/3" ] && kill "$qga_pid"
done 2>/dev/null
