# shellcheck shell=sh
# Tells the process $1, which holds a copy's files, that the host lives. After enter.sh.
# What it looks at is when its file, or its stage, was changed last; idle.sh looks at either.

lives "$1" || say "$1" 'what held this copy has ended'
for file in "/proc/${1%.*}/fd/9" "/proc/${1%.*}/fd/7"; do
  [ ! -e "$file" ] || touch -c -- "$file"
done
