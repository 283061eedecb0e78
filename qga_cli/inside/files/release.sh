# shellcheck shell=sh disable=SC2154
# Ends the process that held what is done now. After prove.sh.

let_go "$holder"
