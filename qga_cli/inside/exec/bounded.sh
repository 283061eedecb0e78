# shellcheck shell=sh
# shellcheck disable=SC2034,SC2086  # qga_nl is for the line that is evaluated; the code is a number
# Runs a program in a guest without /proc or dd, a megabyte of each stream kept, and one byte more,
# to show that there were more. $0 a mark; then the program's words.
# Standard input: a line, the program's context; then the program's input.
#
# Behind stderr stands the mark, if the program was started. 3 and 4 are the agent's pipes, 5 brings
# the exit code, 6 carries stdout past the pipe of stderr.
IFS= read -r qga_context
qga_nl='
'
command -v head >/dev/null || { echo the guest has no head, which this needs >&2; exit 97; }
eval "$qga_context"
qga_keep() { head -c 1048577; exec cat >/dev/null; }
exec 3>&1 4>&2
qga_code=$({ { { ( qga_around; exec "$@" ) 3>&- 4>&- 5>&- 6>&-; echo $? >&5; } 2>&1 >&6 | qga_keep >&4; } 6>&1 | qga_keep >&3
} 5>&1)
echo "$0" >&2
exit $qga_code
