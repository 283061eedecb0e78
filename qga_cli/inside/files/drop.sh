# shellcheck shell=sh
# Lets go of a part. After enter.sh. $1 the process that holds it  $2 folder  $3 name to remove, or ""

if [ "$1" ] && lives "$1"; then cd -P "/proc/${1%.*}/fd/8/" || exit
else enter "$2"
fi
let_go "$1"
[ -z "$3" ] || rm -f -- "./$3"
