# shellcheck shell=sh disable=SC2154
# Goes on with an old part, and removes the others. After held.sh.
# $1 the old part's name, "" to begin anew  $2 the folder that they are in
# Prints by which process all is held now.

cd -P "/proc/${holder%.*}/fd/7/" || exit
if [ "$1" ]; then
  exec 9<>"./$1" || exit
  mv -f -- "./$1" "./$part" && mv -f -- "./$part" /proc/self/fd/8/ || exit
fi
for old in ./.*.qga-part; do
  [ ! -f "$old" ] || : >"$old" # a killed copy's handle is still open in the agent, and would keep the space
  rm -f -- "$old"
done
cd -P /proc/self/fd/8/ && rmdir -- "./$2" || exit
exec 7<&-
hold
let_go "$holder"
