# shellcheck shell=sh disable=SC3067,SC2015,SC2034,SC2154
# (SC2015: where C of A && B || C may run after B, that is meant.)
# Makes the folder that a tree is filled into. After enter.sh, remove.sh and idle.sh.
# $1 target  $2 name to get inside it, if it is there; "" for none
# $3 1 if it must be there  $4 1 to remove what an earlier copy has left
# The first line of standard input is the stage's end, which `ps` would show.
# Prints, each ended by NUL: the folder that will get it, the stage, the tree's name there ("" if
# the folder is filled), the process that holds both.
#
# The stage stays root's with mode 0700, whatever the tree is to be: what is in it, in `tree`, is out
# of everybody's reach until it is moved.

IFS= read -r mark
umask 077
path=$1
while [ "$path" != "${path%/}" ]; do path=${path%/}; done
[ ! -d "$path/" ] || [ -z "$2" ] || path=$path/$2
name=
stage=.$mark
if [ -d "$path/" ]; then enter "$path/"
elif [ "$3" ]; then
  [ ! -e "$path" ] || say "$path" 'is no folder'
  say "$path" 'no such folder'
else
  [ ! -e "$path" ] && [ ! -L "$path" ] || say "$path" 'is no folder, and a folder would replace it'
  enter "${path%/*}/"
  name=${path##*/}
  shorten "$name"
  stage=.$short.$mark
fi
[ -e /proc/self/fd ] || say "$PWD" 'copying a folder needs /proc in the guest'
exec 8<.
if [ "$4" ]; then
  patience=3 # it is only cleaned away, and time enough for what ends a killed copy
  parts() { [ -e "$1" ]; } # then it is no stage of a tree called `old`, see begin_again.sh
  for old in "./${stage%????????????????"${mark#????????????????}"}"????????????????"${mark#????????????????}"; do
    [ -d "$old" ] && [ ! -L "$old" ] && [ -O "$old" ] && ! parts "$old"/.*.qga-part &&
      idle "$old" 7 && ! has "$old" 7 || continue
    remove "$old"
  done
fi
mkdir -m 700 -- "./$stage" && cd -P -- "./$stage" || exit
there=$PWD
exec 7<.
cd -P /proc/self/fd/8/ || exit
empty() {
  cd -P /proc/self/fd/7/ || exit
  set -- ./* ./.[!.]* ./..?*
  [ "$*" = './* ./.[!.]* ./..?*' ]
}
[ "$there" = "${PWD%/}/$stage" ] && [ -O /proc/self/fd/7/ ] && ( empty ) ||
  say "$there" 'was replaced while it was made'
( cd -P /proc/self/fd/7/ && chmod 700 . && mkdir ./tree ) || exit
printf '%s\0' "$PWD" "$stage" "$name" "$(hold)"
