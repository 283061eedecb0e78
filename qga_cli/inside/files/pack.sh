# shellcheck shell=sh
# Prints an archive. After needs.sh. $1 folder  $2 name in it  $3 -h to follow links
# $4 by what it is compressed, if at all
#
# GNU's tar goes from folder to folder by descriptors. Another one opens what it packs by its path, and
# who exchanges a folder for a link meanwhile leads it elsewhere.
#
# Standard error ends with the archive's digest. tar's exit code goes round the pipe, for that has
# the exit code of its last command.

needs tar tee mkfifo mktemp sha512sum
cd -P -- "$1" || exit
g=
case $(tar --version 2>/dev/null) in
*GNU*) g='-b 128 --numeric-owner --format=posix --pax-option=delete=atime,delete=ctime --sparse' ;;
*)
  needs find id
  others=$(find "$2" -type d \( ! \( -user 0 -o -user "$(id -u)" \) -o -perm -020 -o -perm -002 \))
  if [ ! "$3" ] && [ "$others" ]; then
    printf '%s\n' "others can write to ${others%%
*}, and could lead this guest's tar out of it: install GNU tar there" >&2
    exit 1
  fi
  ;;
esac
d=$(mktemp -d) || exit
trap 'rm -rf -- "$d"' EXIT
trap 'exit 143' HUP INT TERM
mkfifo -- "$d/f" || exit
sha512sum <"$d/f" >"$d/s" &
{
  # shellcheck disable=SC2086  # options of ours, or none
  tar $g $3 -cf - "$2"
  echo $? >"$d/r"
} | if [ "$4" ]; then
  # shellcheck disable=SC2086  # a command line of ours
  tee "$d/f" | $4
else
  exec tee "$d/f"
fi
wait
cat -- "$d/s" >&2
exit "$(cat -- "$d/r")"
