# shellcheck shell=sh
# Prints $3 bytes of the file $1 from byte $2 on, the first of which is 1.
#
# By dd as far as that goes: a port takes 32 KiB at a time, and head gives it 8. With fullblock for
# uutils' sake, whose dd drops what a short write leaves without it. See receive.sh.

exec <"$1" || exit
# Moved on by a dd that reads nothing: uutils' head drops what a port does not take at once.
[ "$2" = 1 ] || dd bs=1 skip=$(($2 - 1)) count=0 2>/dev/null || { tail -c "+$2" | head -c "$3"; exit; }
if [ "$3" -ge 1048576 ]; then
  if dd bs=1048576 iflag=fullblock count=$(($3 / 1048576)); then
    set -- "$1" "$2" $(($3 % 1048576))
  elif dd iflag=fullblock count=0 2>/dev/null </dev/null; then
    exit 1
  fi
fi
[ "$3" = 0 ] || head -c "$3"
