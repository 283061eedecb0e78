# shellcheck shell=sh
# Lets go of a part. After enter.sh. $1 the process that holds it  $2 folder  $3 name to remove, or ""
# $4 the folder with old parts that were looked at, which get their place back; or ""

if [ "$1" ] && lives "$1"; then
  cd -P "/proc/${1%.*}/fd/8/" || exit
  if [ "$4" ]; then
    for old in "/proc/${1%.*}/fd/7"/.*.qga-part; do
      [ ! -f "$old" ] || mv -f -- "$old" ./
    done
    rmdir -- "./$4"
  fi
else enter "$2"
fi
let_go "$1"
[ -z "$3" ] || rm -f -- "./$3"
