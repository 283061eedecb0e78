# shellcheck shell=sh disable=SC3067  # -O: dash, bash and busybox have it
# Ends what holds a copy's files, and who was about to make it, where the qga of it has died; or a
# script that is not needed any longer. $1 what their text has in a comment. A number alone would not
# do: the reply with it may never have come, and it may be another's by now. Exit code 9: there is none.
exec 2>/dev/null
found=
# What a script has started ends with it. It is stopped meanwhile, or it would go on to the next.
end() {
  kill -STOP "$1"
  for list in /proc/"$1"/task/*/children; do
    pids=
    read -r pids <"$list"
    for pid in $pids; do end "$pid"; done
  done
  kill "$1" && found=1
  kill -CONT "$1"
}
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
  end "${file#/proc/}"
done
[ "$found" ] || exit 9
