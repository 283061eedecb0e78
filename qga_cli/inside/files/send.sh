# shellcheck shell=sh
# Prints $3 bytes of the file $1 from byte $2 on, the first of which is 1.
#
# By dd: a port takes 32 KiB at a time, and head gives it 8. With fullblock for uutils' sake, whose dd
# drops what a short write leaves without it. See receive.sh.

# Prints $2 blocks of $1 bytes.
blocks() { [ $(($1 * $2)) = 0 ] || dd bs="$1" iflag=fullblock count="$2"; }

exec <"$1" || exit
# Moved on by a dd that reads nothing: uutils' head drops what a port does not take at once.
[ "$2" = 1 ] || dd bs=1 skip=$(($2 - 1)) count=0 2>/dev/null || { tail -c "+$2" | head -c "$3"; exit; }
if blocks 1048576 $(($3 / 1048576)) && blocks $(($3 % 1048576)) 1; then exit; fi
# A dd that does not know the word has read nothing; another has said what went wrong.
if dd iflag=fullblock count=0 2>/dev/null </dev/null; then exit 1; fi
head -c "$3"
