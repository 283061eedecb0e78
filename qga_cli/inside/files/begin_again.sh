# shellcheck shell=sh disable=SC2154,SC3067
# As begin.sh, where there may be parts that earlier copies have left. After enter.sh and part.sh.
# Prints, each ended by NUL: the folder, the part's name, the final one, the process that holds both
# (nothing without /proc), a folder of ours that old parts can be taken into, which it holds too
# (nothing where none can be left).
#
# Looking at a file and opening it are two steps, and the owner of the folder may put a link between
# them. So an old part is taken into a folder that only we can enter, and only there it is opened.
# That is leftovers.sh's: it may take hours, in which the host must tell the holder that it lives.

kept=
holder=
if [ "$file" != "./$part" ]; then
  for old in "./.$short."????????????????.qga-part ./.old.????????????????.qga-part; do
    [ "$old" = "./$part" ] || [ ! -e "$old" ] || kept=.old.$mark
  done
  if [ "$kept" ]; then
    mkdir -m 700 -- "./$kept" && cd -P -- "./$kept" || exit
    there=$PWD
    exec 7<.
    cd -P /proc/self/fd/8/ || exit
    [ "$there" = "${PWD%/}/$kept" ] && [ -O /proc/self/fd/7/ ] || say "$there" 'was replaced while it was made'
  fi
  holder=$(hold)
fi
printf '%s\0' "$PWD" "$part" "$name" "$holder" "$kept"
