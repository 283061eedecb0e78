# shellcheck shell=sh
# Tells the process $1, which holds a copy's files, that the host lives. After enter.sh.
# What it looks at is when its file, or its stage, was changed last.

lives "$1" || say "$1" 'what held this copy has ended'
file=/proc/${1%.*}/fd/9
[ -e "$file" ] || file=/proc/${1%.*}/fd/7
touch -c -- "$file"
