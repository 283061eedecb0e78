# shellcheck shell=sh disable=SC2154,SC2015
# (SC2015: where C of A && B || C may run after B, that is meant.)
# Puts the tree of a stage in its place. After enter.sh, remove.sh and staged.sh.
# $1 the tree's name, "" to fill the folder itself
# $2 1 if the files that are replaced hand on mode, owner and the like, at two processes for each
#
# A folder that is there is filled, file by file renamed; first it is made sure that no folder would
# have to replace a file, nor a file a folder. Files are never looped over, only folders, which a
# pattern that ends in a slash finds: a shell is slow.
#
# The stage is out of others' reach, the folder is not: so we are in that one, and reach the files of
# the stage by descriptor 7. A folder in it is entered before it is filled.

differ() { printf '%s: a folder and a file cannot replace each other\n' "$1" >&2; exit 1; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
folder() { [ -d "$1" ] && [ ! -L "$1" ]; }

look() { # $1 from  $2 to  $3 what is said of $2
  for target in "$2"/*/ "$2"/.[!.]*/ "$2"/..?*/; do
    target=${target%/}
    entry=$1/${target##*/}
    folder "$target" && there "$entry" || continue
    folder "$entry" || differ "$3/${target##*/}"
    ( look "$entry" "$target" "$3/${target##*/}" ) || exit
  done
  for entry in "$1"/*/ "$1"/.[!.]*/ "$1"/..?*/; do
    entry=${entry%/}
    target=$2/${entry##*/}
    folder "$entry" && there "$target" || continue
    folder "$target" || differ "$3/${entry##*/}"
  done
}

# All of $@, or what a mv leaves behind that takes no link to nothing into a folder: uutils'.
into_here() {
  mv -f -- "$@" ./ 2>/dev/null && return
  for entry; do
    ! there "$entry" || put "$entry" "./${entry##*/}" || return
  done
}

# From descriptor 7 to where we are.
move() {
  for entry in /proc/self/fd/7/*/ /proc/self/fd/7/.[!.]*/ /proc/self/fd/7/..?*/; do
    entry=${entry%/}
    inner=${entry##*/}
    folder "$entry" && folder "./$inner" || continue
    (
      goal=${PWD%/}/$inner
      cd -P -- "./$inner" || exit
      [ "$PWD" = "$goal" ] || say "$goal" 'was replaced while it was filled'
      exec 7<"$entry" || exit
      move
    ) && rmdir -- "$entry" || exit
  done
  set -- /proc/self/fd/7/*; there "$1" || shift
  set -- /proc/self/fd/7/.[!.]* "$@"; there "$1" || shift
  set -- /proc/self/fd/7/..?* "$@"; there "$1" || shift
  while [ $# -gt 500 ]; do
    eval "into_here $many" || exit
    shift 500
  done
  [ $# = 0 ] || into_here "$@" || exit
}

keep() {
  loose=1
  loose || loose=
  for entry in /proc/self/fd/7/* /proc/self/fd/7/.[!.]* /proc/self/fd/7/..?*; do
    target=./${entry##*/}
    [ -f "$target" ] && [ ! -L "$target" ] && [ -f "$entry" ] || continue
    [ "$loose" ] || cp -RP --attributes-only --preserve=all --no-preserve=timestamps -- "$target" "$entry" 2>/dev/null
    known=$(stat -c '%f %h %a %u:%g' -- "$target" "$entry") || exit
    new=${known##*"$newline"}
    old=${known%%"$newline"*}
    case $old in
      8???\ *) ;;
      *) say "$target" 'was replaced while it was copied to' ;;
    esac
    if [ "${old#* * }" = "${new#* * }" ] || ! hands_on "$loose" "${old##* }"; then continue; fi
    mode=${old% *}
    mode=${mode##* }
    case $old in # of two names for one file, one may be somebody's who wants a set-user-ID program
      8???\ 1\ *) ;;
      *) mode=$((0$mode & 01777)) mode=$(printf %o "$mode") ;;
    esac
    chown -- "${old##* }" "$entry" && chmod -- "$mode" "$entry" || exit
  done
}

newline='
'
if [ -z "$1" ]; then
  ( look /proc/self/fd/7/tree /proc/self/fd/8 "$PWD" ) || exit
  many=
  count=0
  while [ $count -lt 500 ]; do
    count=$((count + 1))
    many="$many \"\${$count}\""
  done
  (
    exec 7</proc/self/fd/7/tree || exit
    [ -z "$2" ] || ( keep ) || exit
    ( move )
  ) && ( cd -P /proc/self/fd/7/ && rmdir ./tree ) || exit
else
  [ ! -e "./$1" ] && [ ! -L "./$1" ] || say "${PWD%/}/$1" 'has come to be while it was copied'
  exec 9</proc/self/fd/7/tree
  put /proc/self/fd/7/tree "./$1" || exit
  [ ! -L "./$1" ] && [ "./$1" -ef /proc/self/fd/9 ] ||
    say "${PWD%/}/$1" 'somebody in the guest replaced it while it was put there'
fi
rmdir -- "./$stage" 2>/dev/null # it is empty; whoever has renamed it may keep it
let_go "$holder"
