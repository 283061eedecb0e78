# shellcheck shell=sh
# shellcheck disable=SC2034  # read by what follows this text
# Puts the program's words into variables: runuser and su stay beside the program, and everybody may
# read their command lines. qga_kept is the names of the variables, which qga_around exports.
qga_count=0 qga_kept=QGA_BECOME
for qga_x; do
  qga_count=$((qga_count + 1))
  qga_kept="$qga_kept QGA_WORD_$qga_count"
  eval "QGA_WORD_$qga_count=\$qga_x"
done
