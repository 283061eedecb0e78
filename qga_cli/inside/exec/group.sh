# shellcheck shell=sh
# shellcheck disable=SC2154  # qga_group, a name, is set in front of this text
# Ends where there is no such group. The tool that becomes the user would complain in the program's
# place, with an exit code that could be the program's. A guest may have no getent.
getent group "$qga_group" >/dev/null 2>&1 ||
  while IFS=: read -r qga_x _ || { echo "no group $qga_group" >&2; exit 96; }; do
    [ "$qga_x" != "$qga_group" ] || break
  done </etc/group
