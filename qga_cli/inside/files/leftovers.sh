# shellcheck shell=sh disable=SC2154,SC3067
# Looks for the parts that earlier copies have left. After part.sh and idle.sh.
# Prints, each ended by NUL: the folder, the new part's name, the final one, the process that holds
# all, a folder of ours that the old parts are in now; then of each its name, size and digest.
#
# Looking at a file and opening it are two steps, and the owner of the folder may put a link between
# them. So an old part is taken into a folder that only we can enter, and only there it is opened.

kept=.old.$mark
hold=
if [ "$file" != "./$part" ]; then
  mkdir -m 700 -- "./$kept" && cd -P -- "./$kept" || exit
  there=$PWD
  exec 7<.
  cd -P /proc/self/fd/8/ || exit
  [ "$there" = "${PWD%/}/$kept" ] && [ -O /proc/self/fd/7/ ] || say "$there" 'was replaced while it was made'
  hold=$(hold)
fi
printf '%s\0' "$PWD" "$part" "$name" "$hold" "$kept"
[ "$hold" ] || exit 0
for old in "./.$short."????????????????"${mark#????????????????}"; do
  [ "$old" != "./$part" ] && [ -f "$old" ] && [ ! -L "$old" ] && [ -O "$old" ] || continue
  # Two that have just begun are not to wait for one another: an empty one is worth nothing.
  if [ -s "$old" ]; then idle "$old" 9; else ! has "$old" 9; fi || continue
  mv -f -- "$old" /proc/self/fd/7/ || continue
  old=${old#./}
  inner=/proc/self/fd/7/$old
  known=
  if [ -f "$inner" ] && [ ! -L "$inner" ] && [ -O "$inner" ]; then known=$(stat -c '%h %a %s' -- "$inner"); fi
  case $known in
    1\ 600\ *) readable= ;;
    1\ *) readable=1 ;; # whoever has it open would read on: it is removed, and not gone on with
    *) mv -f -- "$inner" ./; continue ;;
  esac
  for process in /proc/[0-9]*; do # a killed copy's gzip lives on for a minute, with bytes to write
    [ "$process/fd/1" -ef "$inner" ] && kill -9 "${process#/proc/}"
  done 2>/dev/null
  printf '%s\0' "$old" "${known##* }" "$([ "$readable" ] || sha512sum <"$inner")"
done
