# shellcheck shell=sh
# Runs the script that comes first on standard input, up to a line `#`: others see the words of our
# processes, and a program that looks for its own words in them (pgrep -f) would find ours.
#
# Nothing is read ahead, as a shell does that reads its script by itself: what follows is the
# script's input. A part of it, because the agent has gone, must not run.
qga_text=
while IFS= read -r qga_x || exit; [ "$qga_x" != '#' ]; do qga_text="$qga_text$qga_x
"; done
eval "$qga_text"
