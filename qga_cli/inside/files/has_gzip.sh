# shellcheck shell=sh
# Whether the guest can compress.

command -v gzip >/dev/null
