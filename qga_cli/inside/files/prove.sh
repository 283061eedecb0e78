# shellcheck shell=sh disable=SC2154
# Compares a part and gives it its final name. After enter.sh, told.sh, and part.sh or held.sh, which
# have set $part, $name and $file: we are in the folder.
# $1 mode  $2 owner  $3 time  $4 mode of a new file  $5 1 if it is large
# Ends with 66 for another digest, 67 for another file to replace, 68 where somebody interfered.
#
# What is changed is changed through the descriptor: the name may be another file's by now.

# An error of the disk may be seen for the first time here, and it is told once. A sync that takes no
# names (toybox, an old busybox) writes everything back.
write_back() {
  said=$(sync -- "$file" 2>&1) && return
  case $said in
    *rgument* | *nvalid* | *nknown* | *sage*) sync ;;
    *) say "${PWD%/}/$name" "$said" ;;
  esac
}

writer=
if [ "$5" ]; then
  # While the digest is computed: then there is little left to wait for.
  ( write_back ) &
  writer=$!
fi
if [ "$digest" ]; then
  sum=$(sha512sum <"$file") || exit
  [ "${sum%% *}" = "$digest" ] || exit 66
fi
trap '' TERM # from here on a copy that is given up is finished: nobody goes on with what is half dressed
mode=$1
owner=$2
if { [ -z "$mode" ] || [ -z "$owner" ]; } && [ -f "./$name" ] && [ ! -L "./$name" ]; then
  # Access lists, security labels and the like: of GNU's cp, where there is one. With -RP it opens
  # no link, FIFO or device that has come there since.
  loose=1
  loose || { loose=; cp -RP --attributes-only --preserve=all --no-preserve=timestamps -- "./$name" "$file" 2>/dev/null; }
  old=$(stat -c '%f %h %a %u:%g' -- "./$name") || exit
  case $old in
    8???\ *) ;;
    *) say "${PWD%/}/$name" 'was replaced while it was copied to' ;;
  esac
  if hands_on "$loose" "${old##* }"; then
    owner=${owner:-${old##* }}
    # Of two names for one file, one may be somebody's who wants a set-user-ID program of it; and
    # whoever has set the bit has not set it for another owner.
    old=${old% *}
    mode=${old##* }
    case $2$old in
      8???\ 1\ *) ;;
      *) mode=$((0$mode & 01777)) mode=$(printf %o "$mode") ;;
    esac
    mode=${1:-$mode}
  fi
fi
mode=${mode:-$4}
[ -z "$owner" ] || chown -- "$owner" "$file" || exit
chmod -- "$mode" "$file" || exit
[ -z "$3" ] || touch -d "@$3" -- "$file" 2>/dev/null || touch -d "@${3%.*}" -- "$file" || exit
[ -z "$writer" ] || wait "$writer" || exit
write_back
[ ! -d "./$name" ] || [ -L "./$name" ] || say "${PWD%/}/$name" 'is a folder'
case $replaces in
  '') ;;
  absent) [ ! -e "./$name" ] && [ ! -L "./$name" ] || exit 67 ;;
  *)
    [ -f "./$name" ] && [ ! -L "./$name" ] || exit 67
    sum=$(sha512sum <"./$name") && [ "${sum%% *}" = "$replaces" ] || exit 67
    ;;
esac
[ ! -L "./$part" ] && [ "./$part" -ef "$file" ] || exit 68
put "./$part" "./$name" || exit
[ ! -L "./$name" ] && { [ "$file" = "./$part" ] || [ "./$name" -ef "$file" ]; } || exit 68
# Said back: an answer that was lost, or made up, is no proof.
[ -z "$digest" ] || echo "$digest"
