# shellcheck shell=sh
# Prints $3 bytes of the file $1 from byte $2 on, the first of which is 1.
#
# By dd as far as that goes: a port takes 32 KiB at a time, and head gives it 8, see receive.sh.

exec <"$1" || exit
[ "$2" = 1 ] || { tail -c "+$2" | head -c "$3"; exit; }
if [ "$3" -ge 1048576 ] && command -v dd >/dev/null; then
  dd bs=1048576 count=$(($3 / 1048576)) || exit
  set -- "$1" "$2" $(($3 % 1048576))
fi
[ "$3" = 0 ] || head -c "$3"
