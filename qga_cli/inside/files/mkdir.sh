# shellcheck shell=sh disable=SC2154
# Makes folders. After enter.sh. $1 1 to make what is missing above them, too; then the paths.

parents=$1
shift
code=0
for path; do
  if [ "$parents" ]; then ( enter "$path" 1 ) || code=1
  else
    (
      enter_parent "$path"
      exec mkdir -- "$spelled"
    ) || code=1
  fi
done
exit $code
