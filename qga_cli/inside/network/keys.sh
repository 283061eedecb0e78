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
  # The last line may have no end.
  if [ -s $file ] && [ "$(tail -c 1 $file)" ]; then echo >>$file; fi
  exec cat >>$file ;;
reset) cat >$new ;;
remove)
  grep -vxF -f - $file >$new
  [ $? -lt 2 ] ;; # 1: nothing is left
esac && mv -f $new $file && exit
rm -f $new
exit 1
