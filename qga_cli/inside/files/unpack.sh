# shellcheck shell=sh disable=SC2154
# Adds standard input to the part, unpacked if $1 says by what. After held.sh.
# Prints by which process it is held from now on, for this may have taken long.

exec 9>>"$file" || exit
# shellcheck disable=SC2086  # a command line of ours
${1:-cat} >&9 || exit
if [ "$holder" ]; then
  hold
  let_go "$holder"
fi
