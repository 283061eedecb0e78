# shellcheck shell=sh
# shellcheck disable=SC3067  # all shells of guests have -O
# Runs a script of the host. $1 its size; then the whole command line, with /proc/self/fd/9 for it
# Standard input: a line, the name of a file to be made; the script; its own input.
#
# What the user has set stands around it already, so it has no variables but QGA_FILE and QGA_DIR,
# and finds its tools also where PATH is the user's. The name is a secret until the file is there:
# then it is ours, nobody can open or replace it, and it is never opened by its name again.
IFS= read -r QGA_FILE
umask 077
# Creates with O_EXCL. A FIFO would be opened all the same, so what was opened is looked at.
set -C
for QGA_DIR in /dev/shm /run /tmp /var/tmp; do [ -w $QGA_DIR ] && break; done
command exec 9>"$QGA_DIR/$QGA_FILE" # without `command` the shell ends, with a code of its own
[ -f /proc/self/fd/9 ] && [ -O /proc/self/fd/9 ] || exit 125
PATH=/usr/bin:/bin:$PATH dd bs="$1" count=1 iflag=fullblock >&9 2>/dev/null
exec 8</proc/self/fd/9
exec 9<&8 8<&-
# Without a name nothing can be left behind.
PATH=/usr/bin:/bin:$PATH rm "$QGA_DIR/$QGA_FILE"
umask 022
# A part of it, because qga was killed on the way or the guest has no room, must not run.
[ "$(PATH=/usr/bin:/bin:$PATH; wc -c </proc/self/fd/9)" -eq "$1" ] || {
  echo "the guest could not keep the script in $QGA_DIR, which needs $1 bytes there, dd and wc" >&2
  exit 125
}
unset QGA_FILE QGA_DIR
shift
exec "$@"
