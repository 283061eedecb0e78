# shellcheck shell=sh disable=SC2034  # what follows uses qga_end
# Opens the ports that a script of ours has as its standard input and output; channel/port.sh comes
# before this, and the script after it, in parentheses.
# Lines on standard input: the port of the output, what to say there first, what stands before the
# exit code at the end, the port of the input or nothing. Exit code 97: no ports, nothing was done.
#
# There is no pipe and no cat between, as a program of a stranger needs them: in an emulated guest
# they cost five sixths of the rate.
IFS= read -r qga_out
IFS= read -r qga_hello
IFS= read -r qga_end
IFS= read -r qga_in
open_port "$qga_out" 3 || exit 97
if [ "$qga_in" ]; then open_port "$qga_in" 4 || exit 97
else exec 4</dev/null; fi
echo "$qga_hello" >&3 || exit 97
