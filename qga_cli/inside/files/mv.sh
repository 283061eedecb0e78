# shellcheck shell=sh disable=SC2154
# Renames files. After enter.sh. The last word is the target, the others are what gets that name or
# goes into that folder.
#
# Where others can write, both folders are entered first: we are in the target's, and descriptor 7 is
# the source's. Between filesystems mv would copy, by names, so that is refused there.

for target; do :; done
move() { # $1 from  $2 to
  if ( enter_parent "$1" && [ "$ours" ] && goal "$2" && private ) 2>/dev/null; then
    # uutils' mv takes no link to nothing into a folder.
    if [ -d "$2" ] && [ -L "$1" ] && [ ! -e "$1" ]; then put "$1" "${2%/}/${1##*/}"; else mv -f -- "$1" "$2"; fi
    return
  fi
  (
    enter_parent "$1"
    source=$name
    there "./$source" || say "mv: cannot stat '$1'" 'No such file or directory'
    exec 7<.
    goal "$2"
    [ -e /proc/self/fd/7 ] || say "$2" 'others can write to this folder, and without /proc that is not safe'
    devices=$(stat -L -c %d /proc/self/fd/7/ .) || exit
    [ "${devices%%[!0-9]*}" = "${devices##*[!0-9]}" ] ||
      say "$1" 'is on another filesystem, and others can write to its folder: copy it, then remove it'
    put "/proc/self/fd/7/$source" "./${final:-$source}"
  )
}
there() { [ -e "$1" ] || [ -L "$1" ]; }
goal() {
  final=
  if [ -d "$1" ]; then enter "$1"
  else
    enter_parent "$1"
    final=$name
  fi
}
code=0
count=$#
while [ $# -gt 1 ]; do
  [ "$count" = 2 ] || [ -d "$target" ] || say "$target" 'is no folder'
  move "$1" "$target" || code=1
  shift
done
exit $code
