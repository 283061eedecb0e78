# shellcheck shell=sh
# A function for scripts at the other end of a port of ours; they begin with this text.
#
# A second open of a port says EBUSY, also to a shell or a program that opens /dev/stdout anew: no
# program gets the port itself. Without udev its name is not in /dev.

# Opens a port. $1 its name  $2 the descriptor
#
# A guest that has much to do sees a new port later than the host has plugged it, or never: see
# channel/unopened.py. One that shows no port at all, not even its agent's, hides them.
open_port() {
  qga_left=10
  while :; do
    qga_any=
    for qga_file in /sys/class/virtio-ports/*/name; do
      qga_called=
      IFS= read -r qga_called <"$qga_file" && qga_any=1
      [ "$qga_called" = "$1" ] && break 2
    done 2>/dev/null
    qga_left=$((qga_left-1))
    if [ -z "$qga_any" ]; then echo 'this guest shows no ports' >&2; return 1; fi
    if [ $qga_left = 0 ]; then echo 'the guest has not seen the new port' >&2; return 1; fi
    sleep 0.1 2>/dev/null || sleep 1
  done
  qga_file=${qga_file%/name}
  eval "command exec $2<>/dev/${qga_file##*/}"
}

# Whether the kernel counts what a process writes: the host asks the relay of the input for it.
counts_written() {
  [ -r /proc/self/io ] || { echo 'this kernel does not count what a process writes' >&2; return 1; }
}

# Becomes a cat. What is executed through a descriptor has its number for a name, so `pkill -x cat`,
# by the program or by anybody, passes it by. One that is a program with others (busybox) goes by
# its name.
become_cat() {
  if [ ! -r /bin/cat ] || [ /bin/cat -ef /bin/dd ]; then exec cat; fi
  exec 9</bin/cat
  exec /proc/self/fd/9
}
