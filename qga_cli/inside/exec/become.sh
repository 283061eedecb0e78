# shellcheck shell=sh
# shellcheck disable=SC2086  # names
# Turns into the program whose $1 words are in variables, as words.sh has left them; nothing of them
# is in its environment. Runs as the program's user.
qga_words='' qga_names=QGA_BECOME qga_x=0
while [ $qga_x -lt "$1" ]; do
  qga_x=$((qga_x + 1))
  qga_words="$qga_words \"\$QGA_WORD_$qga_x\""
  qga_names="$qga_names QGA_WORD_$qga_x"
done
eval "set -- $qga_words"
unset $qga_names
exec "$@"
