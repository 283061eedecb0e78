# shellcheck shell=sh
# Lists the users. Forks nothing, and stops as paths.sh does.

n=0
while IFS=: read -r u _; do
  printf '%s\0' "$u"
  n=$((n + 1))
  [ $n -gt 2000 ] && break
done </etc/passwd
