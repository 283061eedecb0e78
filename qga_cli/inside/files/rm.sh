# shellcheck shell=sh disable=SC2154
# Removes files. After enter.sh and remove.sh. $1 1 for folders, too  $2 1 to be silent of missing ones
# then the paths.

recursive=$1
force=$2
options=
[ -z "$force" ] || options=-f
shift 2
code=0
for path; do
  (
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then
      [ "$force" ] || say "rm: cannot remove '$path'" 'No such file or directory'
      exit 0
    fi
    enter_parent "$path"
    if [ -z "$recursive" ]; then exec rm $options -- "$spelled"; fi
    case $(rm --version 2>/dev/null) in
      *GNU*) exec rm -r $options -- "$spelled" ;;
      *) remove "./$name" ;;
    esac
  ) || code=1
done
exit $code
