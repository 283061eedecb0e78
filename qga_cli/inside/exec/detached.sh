# shellcheck shell=sh
# shellcheck disable=SC2086,SC3067  # names without blanks; all shells of guests have -O
# shellcheck disable=SC2034,SC2154  # qga_nl and qga_path are for, and from, the line that is evaluated
# shellcheck disable=SC2154  # qga_scope, a name, is set in front of this text
# Starts a program that nobody waits for; it takes the place of this shell, so its pid is the
# agent's, which tells its exit code and signal itself. Words: the program's. scope.sh comes before.
# Standard input: a line, the program's context; then the program's input.
#
# The agent keeps 1 MiB of each stream, below what passes through libvirt in one reply; what is
# written beyond is dropped.
IFS= read -r qga_context
qga_nl='
'
# A program that ends others by name must not end what reads its output.
{ printf qga >/proc/self/comm; } 2>/dev/null
qga_keep() { head -c 1048576; until cat >/dev/null || [ $? = 127 ]; do :; done; }
exec 4<<. 5<<.

.

.
if [ -p /proc/self/fd/4 ]; then
  read -r qga_x <&4; read -r qga_x <&5
  exec 4<>/proc/self/fd/4 5<>/proc/self/fd/5
else # as in wrapper.sh: here-documents are files there, whose readers would be at the end at once
  for qga_dir in /dev/shm /run /tmp /var/tmp; do
    mkdir -m 700 $qga_dir/$0-$$ && break; qga_dir=
  done 2>/dev/null
  if ! { [ "$qga_dir" ] && cd $qga_dir/$0-$$ && [ -O . ] && mkfifo -m 600 4 5; }; then
    echo 'the guest could not make pipes' >&2; exit 125
  fi
  # shellcheck disable=SC2210  # files of these names
  exec 4<>4 5<>5
  cd /; rm -r ${qga_dir:?}/$0-$$
fi
eval "$qga_context"
PATH=${qga_path-$PATH} command -v "$1" >/dev/null || { echo "$1: not found" >&2; exit 127; }
{ exec </proc/self/fd/4 4>&- 5>&- 2>/dev/null; qga_keep; } &
{ exec </proc/self/fd/5 4>&- 5>&- >&2 2>/dev/null; qga_keep; } &
# Before it begins, for it may start others and end at once. Nobody waits for its first output.
give_scope "$qga_scope" $$ 4>&- 5>&-
qga_around
exec >/proc/self/fd/4 2>/proc/self/fd/5 4>&- 5>&- "$@"
