# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # qga_nl is for the line that is evaluated; qga_file comes from port.sh
# Begins a program between two ports; port.sh comes before this, relayed.sh or bare.sh after it.
# $0 a mark; then the program's words. Lines on standard input: the port of its output, what to say
# there first, the port of its input, what stands before its exit code at the end, the program's
# context.
IFS= read -r qga_out
IFS= read -r qga_hello
IFS= read -r qga_in
IFS= read -r qga_end
IFS= read -r qga_context
qga_nl='
'
# As in exec/wrapper.sh: a program may end the likes of its parent by name.
{ printf qga >/proc/self/comm; } 2>/dev/null
eval "$qga_context"
can_run "$1" || exit
relays_input && open_port "$qga_out" 3 && qga_port=$qga_file && open_port "$qga_in" 4 || exit 97
echo "$qga_hello" >&3 || exit 97
exec >/dev/null 2>&1
