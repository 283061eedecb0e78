# shellcheck shell=sh disable=SC2154
# Unpacks an archive from standard input into the stage. After enter.sh, needs.sh and staged.sh.
# $1 tar's options  $2 by what it is unpacked first, if at all
# Prints the digest of the archive. Where tar fails, what follows it may say why; what it has written
# lies in the stage, to be removed with it.

needs tar tee sha512sum
cd -P /proc/self/fd/7/tree/ || exit
exec 4>&1
count() { tee /proc/self/fd/5 | sha512sum >&4; } # tee writes to tar, too
{
  # shellcheck disable=SC2086  # a command line of ours
  if [ "$2" ]; then $2 | count; else count; fi
} 5>&1 | (
  exec 4>&- 5>&-
  # shellcheck disable=SC2086  # likewise
  tar -xpf - $1
  code=$?
  [ $code = 0 ] || head -c 65536 /dev/zero >./.full
  cat >/dev/null
  exit $code
)
