# shellcheck shell=sh
# Goes back to what a process of ours holds. After enter.sh.
# $1 the process, "" where there is no /proc  $2 folder  $3 the part's name  $4 the final one
# Leaves all as part.sh does, and the words after these as $1, $2 ...

holder=$1
if [ "$holder" ]; then
  lives "$holder" || say "$2" 'what held this folder has ended'
  cd -P "/proc/${holder%.*}/fd/8/" && exec 8<. 9<>"/proc/${holder%.*}/fd/9" || exit
  file=/proc/self/fd/9
else
  enter "$2"
  private || say "$2" 'others can write to this folder, and without /proc that is not safe'
  # shellcheck disable=SC2034  # for prove.sh
  file=./$3
fi
# shellcheck disable=SC2034  # likewise
part=$3 name=$4
shift 4
