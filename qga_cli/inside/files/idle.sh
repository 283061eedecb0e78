# shellcheck shell=sh disable=SC3013
# Whether a copy that is under way has a part or a stage. Before what removes those that are left.

# Whether a process has $1 open as descriptor $2, as hold (enter.sh) and what comes to it do.
has() {
  for process in /proc/[0-9]*; do
    [ ! "$process/fd/$2" -ef "$1" ] || return 0
  done
  return 1
}

# Waits until nobody has $1, of which qga may have been killed just now, but $patience seconds.
# Fails at once where it changes: a copy that is under way writes, or tells that it lives (beat.sh).
# What nobody has told anything of in all that time is of a host that has died.
patience=15
idle() {
  known=
  left=$patience
  while has "$1" "$2"; do
    now=$(stat -c '%s %y' -- "$1")
    [ "${known:=$now}" = "$now" ] || return 1
    [ $left -gt 0 ] || return 0
    left=$((left - 1))
    sleep 1
  done
}
