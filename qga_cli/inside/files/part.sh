# shellcheck shell=sh disable=SC2034,SC2154  # variables of the scripts around it
# Makes a part: what a file is called until it is proven. After enter.sh; before what uses it.
# $1 target  $2 name inside it, if it is a folder  $3 1 if it must be one
# The first line of standard input is the part's end, which `ps` would show if it were a word of
# ours: who knows a name before it is made can put something else there.
#
# Leaves us in the folder, which is descriptor 8, with the part as 9, its name in $part, the final
# one in $name, and in $file the way to the part that nobody can turn.

IFS= read -r mark
umask 077
path=$1
if [ -d "$path" ]; then
  [ "$2" ] || say "$path" 'is a folder; give the name of the file too'
  path=${path%/}/$2
  inside=1
elif [ "$3" ]; then
  path=${path%/}
  [ ! -e "$path" ] || say "$path" 'is no folder'
  say "$path" 'no such folder'
else inside=
fi
enter "${path%/*}/"
name=${path##*/}
# A link is followed where it was named itself, and replaced where only its folder was.
links=0
while [ -L "./$name" ] && [ -z "$inside" ]; do
  private || say "$path" 'a link in a folder that others can write to; name what it leads to'
  links=$((links + 1))
  [ $links -le 40 ] || say "$path" 'a link to nowhere'
  link=$(readlink -n -- "./$name" && echo x) || say "$path" 'a link to nowhere'
  link=${link%x}
  name=${link##*/}
  case $name in '' | . | ..) say "$path" 'a link to nowhere' ;; esac
  case $link in
    /*) ;;
    *) link=${PWD%/}/$link ;;
  esac
  [ -d "${link%/*}/" ] || say "$path" 'a link to nowhere'
  enter "${link%/*}/"
done
[ ! -d "./$name" ] || [ -L "./$name" ] || say "${PWD%/}/$name" 'is a folder, and a file would replace it'
[ ! -e "./$name" ] || [ -f "./$name" ] || [ -L "./$name" ] || say "${PWD%/}/$name" 'not a regular file'
shorten "$name"
part=.$short.$mark
set -C
if ! { command exec 9>"./$part"; } 2>/dev/null; then
  said=$({ command exec 9>"./$part"; } 2>&1)
  say "cannot create ${PWD%/}/$part" "${said##*: }"
fi
exec 8<.
set +C
if [ -e /proc/self/fd/9 ]; then file=/proc/self/fd/9
else # no /proc (FreeBSD): names must do, where they are ours alone
  private || say "$PWD" 'others can write to this folder, and without /proc that is not safe'
  file=./$part
fi
