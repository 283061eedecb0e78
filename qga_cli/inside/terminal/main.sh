# shellcheck shell=sh
# shellcheck disable=SC2154  # dir, mark, run and carry are set in front of this text
# Runs a program on a terminal by script(1). Variables: dir, the folder that `prepare` made; mark,
# the word that ends the output; run, the program's command line; carry, the other script's.
umask 077
{ printf qga >/proc/self/comm; } 2>/dev/null # `pkill -x sh` in the terminal does not find us
cd "$dir" || exit
export run SHELL=/bin/sh
# Nothing of the pipe may be in the background: there sh(1) makes programs ignore Ctrl-C. Script
# is killed by 9, because it meets a milder end with two seconds of sleep; the kernel hangs up.
{
  /bin/sh -c 'echo $$ >session; read -r raw <raw; exec script -qfec "eval \"\$run\"" /dev/null' <>keys
  printf '\0%s%03d' "$mark" $?
  until read -r word && [ "$word" = "$mark" ]; do :; done <>keys
  kill -9 "$(cat carrier)"
} | /bin/sh -c 'echo $$ >carrier; exec script -qfc "$0" /dev/null' "$carry" >/dev/null
# shellcheck disable=SC2046  # two pids
kill $(cat guard nap)
rm -rf "$dir"
