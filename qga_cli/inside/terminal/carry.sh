# shellcheck shell=sh
# What the second script(1) runs: its terminal, raw, is the device that the agent polls.

stty raw -echo min 0 time 0
tty >device
exec sleep 2147483647
