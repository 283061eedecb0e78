# shellcheck shell=sh disable=SC2154
# Has a new process hold what an old one does, and prints its number. After held.sh.

hold
let_go "$holder"
