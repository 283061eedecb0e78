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
    enter_parent "$path"
    if [ ! -e "./$name" ] && [ ! -L "./$name" ]; then
      [ "$force" ] || say "$path" 'No such file or directory'
      exit 0
    fi
    if [ -z "$recursive" ]; then exec rm $options -- "$spelled"; fi
    case $(rm --version 2>/dev/null) in
      *GNU*) exec rm -r $options -- "$spelled" ;;
      *) remove "./$name" ;;
    esac
  ) || code=1
done
exit $code
