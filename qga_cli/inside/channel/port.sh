# shellcheck shell=sh
# A function for scripts at the other end of a port of ours; they begin with this text.
#
# A second open of a port says EBUSY, also to a shell or a program that opens /dev/stdout anew: no
# program gets the port itself. Without udev its name is not in /dev.

# Opens a port. $1 its name  $2 the descriptor
#
# A guest that has much to do sees a new port later than the host has plugged it, or never: see
# channel/unopened.py. One that shows no port at all, not even its agent's, hides them. With SELinux
# nobody may open it before udev has given it its label.
open_port() {
  qga_left=10
  while :; do
    qga_any=
    for qga_file in /sys/class/virtio-ports/*/name; do
      qga_called=
      IFS= read -r qga_called <"$qga_file" && qga_any=1
      [ "$qga_called" = "$1" ] && break
    done 2>/dev/null
    qga_left=$((qga_left-1))
    if [ -z "$qga_any" ]; then echo 'this guest shows no ports' >&2; return 1; fi
    if [ "$qga_called" = "$1" ]; then
      qga_file=${qga_file%/name}
      if [ -w "/dev/${qga_file##*/}" ] || [ $qga_left = 0 ]; then
        eval "command exec $2<>/dev/${qga_file##*/}"
        return
      fi
    elif [ $qga_left = 0 ]; then echo 'the guest has not seen the new port' >&2; return 1
    fi
    sleep 0.1 2>/dev/null || sleep 1
  done
}

# Whether input can be relayed: the host asks the kernel how much of it the relay has written.
relays_input() {
  [ -r /proc/self/io ] || { echo 'this kernel does not count what a process writes' >&2; return 1; }
  command -v dd >/dev/null || { echo 'the guest has no dd' >&2; return 1; }
}

# Becomes a program that is given without its folder. What is executed through a descriptor has its
# number for a name, so `pkill -x cat`, by the program or by anybody, passes it by. One that is a
# program with others (busybox) goes by its name.
become() {
  if [ ! -r "/bin/$1" ] || [ /bin/cat -ef /bin/dd ]; then exec "$@"; fi
  exec 9<"/bin/$1"
  shift
  exec /proc/self/fd/9 "$@"
}

# Becomes the relay of a program's input, which passes on at once what it has read. Not a cat:
# uutils' (Ubuntu 25.10) keeps what comes after the last newline until there is another.
become_input() {
  become dd bs=65536 of=/proc/self/fd/1 2>/dev/null
}
