# shellcheck shell=sh disable=SC2154,SC3013,SC3067
# Looks at the parts that earlier copies have left. After held.sh and idle.sh. $1 what begin_again.sh
# has made to take them into. Prints of each, ended by NUL: its name, size and digest.
#
# Where a copy was cut off while it did this, they are in such a folder of its own still.

kept=$1
exec 7<"/proc/${holder%.*}/fd/7" || exit
stem=${part%.????????????????.qga-part}

take() { # $1 a part, which may be a stranger's file
  [ "$1" != "./$part" ] && [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return
  # Two that have just begun are not to wait for one another: an empty one is worth nothing.
  if [ -s "$1" ]; then idle "$1" 9; else ! has "$1" 9; fi || return
  mv -f -- "$1" /proc/self/fd/7/ || return
  old=${1##*/}
  inner=/proc/self/fd/7/$old
  known=
  if [ -f "$inner" ] && [ ! -L "$inner" ] && [ -O "$inner" ]; then known=$(stat -c '%h %a %s' -- "$inner"); fi
  case $known in
    1\ 600\ *) readable= ;;
    1\ *) readable=1 ;; # whoever has it open would read on: it is removed, and not gone on with
    *) mv -f -- "$inner" ./; return ;;
  esac
  for process in /proc/[0-9]*; do # a killed copy's gzip lives on for a minute, with bytes to write
    [ "$process/fd/1" -ef "$inner" ] && kill -9 "${process#/proc/}"
  done 2>/dev/null
  printf '%s\0' "$old" "${known##* }" "$([ "$readable" ] || sha512sum <"$inner")"
}

for folder in ./.old.????????????????.qga-part; do
  [ "$folder" != "./$kept" ] && [ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] || continue
  there=${PWD%/}/${folder#./}
  cd -P -- "$folder" 2>/dev/null || continue
  entered=$PWD
  exec 6<.
  cd -P /proc/self/fd/8/ || exit
  [ "$entered" = "$there" ] && [ -O /proc/self/fd/6/ ] || continue # else somebody has put it there
  case $(stat -c %a /proc/self/fd/6/) in 700 | ?700) ;; *) continue ;; esac
  set -- /proc/self/fd/6/"$stem".????????????????.qga-part
  if [ -e "$1" ]; then
    idle /proc/self/fd/6/ 7 || continue
    for old; do take "$old"; done
  else
    # It may have just been made.
    { [ "$folder" -ot "./$part" ] && ! has /proc/self/fd/6/ 7; } || continue
  fi
  rmdir -- "$folder" 2>/dev/null # another file's may be in it
done
for old in "./$stem".????????????????.qga-part; do take "$old"; done
exit 0
