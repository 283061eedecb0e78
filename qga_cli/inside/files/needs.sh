# shellcheck shell=sh
# needs PROGRAM...: ends the script with code 127 where the guest lacks one of them. What a shell
# says of that by itself names our script, and a pipe without the program may wait for ever.

needs() {
  for p; do
    command -v "$p" >/dev/null || {
      echo "the guest has no $p, which this needs" >&2
      exit 127
    }
  done
}
