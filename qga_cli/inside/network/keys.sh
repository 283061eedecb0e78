# shellcheck shell=sh
# Changes the keys of the user that we run as, as the agent's own commands do: $1 add, reset or remove;
# the lines on standard input. With his rights: what his links lead to is what he may read and write.
umask 077
export LC_ALL=C
cd && mkdir -p .ssh && cd .ssh || exit
file=authorized_keys new=.authorized_keys.qga-$$
[ -f $file ] || [ ! -e $file ] || { echo "$PWD/$file is no file" >&2; exit 1; }
case $1 in
add)
  size=0 end=
  if [ -s $file ]; then
    size=$(wc -c <$file) end=$(tail -c 1 $file) # the last line may have none
  fi
  { ${end:+echo} && cat; } >>$file && exit
  dd if=/dev/null of=$file bs=1 seek="$size" count=0 2>/dev/null # no half key where there is no room
  exit 1 ;;
reset) cat >$new ;;
remove)
  left=$(grep -vxF -f - $file)
  # 1: nothing is left. Of cat alone every system's tells that there was no room.
  [ $? -lt 2 ] && { [ -z "$left" ] || printf '%s\n' "$left"; } | cat >$new ;;
esac && mv -f $new $file && exit
rm -f $new
exit 1
