# shellcheck shell=sh
# shellcheck disable=SC2086  # pids, and numbers
# Ends what descends from a process. $1 its pid  $2 a signal  $3 seconds until KILL, 0 for none
#
# The tree is what descends from it by now, and at the KILL what descends from those that are left.
# A pid that was gone once is not looked at again: it may be another's.
grow() {
  grown=1
  while [ $grown ]; do
    grown=
    while read -r pid parent; do
      case " $tree " in *" $pid "*) ;; *" $parent "*) tree="$tree $pid"; grown=1 ;; esac
    done <<.
$(ps -A -o pid= -o ppid=)
.
  done
}
tree=$1 left=$3
grow
kill -s $2 $tree; kill -s CONT $tree
[ $left -gt 0 ] || exit 0
while [ "$tree" ] && [ $left -gt 0 ]; do
  sleep 1
  there=; for pid in $tree; do kill -0 $pid && there="$there $pid"; done
  tree=$there left=$((left-1))
done 2>/dev/null
[ "$tree" ] || exit 0
grow
kill -s KILL $tree
