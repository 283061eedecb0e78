# shellcheck shell=sh
# Makes a symbolic link. After enter.sh.
# $1 target  $2 name inside it, if it is a folder  $3 what the link says  $4 owner  $5 time
# The first line of standard input is the end of a name that nobody knows before it is there.

IFS= read -r mark
umask 077
path=$1
[ ! -d "$path" ] || path=${path%/}/$2
enter "${path%/*}/"
name=${path##*/}
[ ! -d "./$name" ] || [ -L "./$name" ] || say "$path" 'is a folder, and a link would replace it'
if [ -z "$4$5" ]; then
  ln -s -- "$3" "./.$mark" && put "./.$mark" "./$name"
  exit
fi
# Owner and time go by the link's name: it is made where nobody can put something else there.
exec 8<.
mkdir -m 700 -- "./.$mark" || exit
stage=${PWD%/}/.$mark
(
  # shellcheck disable=SC3067  # -O: dash, bash and busybox have it
  cd -P -- "./.$mark" && [ "$PWD" = "$stage" ] && [ -O . ] || say "$stage" 'was replaced while it was made'
  ln -s -- "$3" "./$name" || exit
  [ -z "$4" ] || chown -h -- "$4" "./$name" || exit
  [ -z "$5" ] || touch -h -d "@$5" -- "./$name" 2>/dev/null || touch -h -d "@${5%.*}" -- "./$name" || exit
  exec 7<. && cd -P /proc/self/fd/8/ || exit
  put "/proc/self/fd/7/$name" "./$name"
)
code=$?
[ $code = 0 ] || ( cd -P -- "./.$mark" && [ "$PWD" = "$stage" ] && rm -f -- "./$name" )
rmdir -- "./.$mark"
exit $code
