# shellcheck shell=sh disable=SC3067  # -O: dash, bash and busybox have it
# Ends what holds a copy's files, and who was about to make it, where the qga of it has died. $1 what
# their text has in a comment. Its number alone would not do: the reply with it may never have come.
# Exit code 9: there is none.
exec 2>/dev/null
found=
for file in /proc/[0-9]*/cmdline; do
  [ -O "$file" ] || continue
  line=
  {
    IFS= read -r line
    case $line in *'LC_ALL=C; export LC_ALL') ;; *) continue ;; esac
    while IFS= read -r line && [ "$line" != "# $1" ]; do :; done
  } <"$file"
  [ "$line" = "# $1" ] || continue
  file=${file%/cmdline}
  kill "${file#/proc/}" && found=1
done
[ "$found" ] || exit 9
