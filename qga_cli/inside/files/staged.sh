# shellcheck shell=sh disable=SC2034  # what follows uses the variables
# Goes back to a stage. After enter.sh. $1 the process that holds it  $2 the stage's name
# Leaves us in the folder that will get the tree, which is descriptor 8; 7 is the stage.

holder=$1
stage=$2
lives "$holder" || say "$2" 'what held this folder has ended'
cd -P "/proc/${holder%.*}/fd/8/" && exec 8<. 7<"/proc/${holder%.*}/fd/7" || exit
shift 2
