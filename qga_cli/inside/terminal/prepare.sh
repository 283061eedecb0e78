# shellcheck shell=sh
# shellcheck disable=SC3067  # all shells of guests have -O
# Makes a private folder for a terminal by script(1), and prints its name; nothing where there is
# no such script(1). Variable: folder, its name.
#
# Everybody may list the folder's name, so it tells nothing: the end word is another one.
umask 077
case $(script --help 2>&1) in *--return*) ;; *) exit ;; esac
command -v stty >/dev/null && command -v mkfifo >/dev/null || exit
for place in /run /dev/shm /tmp; do
  # Fails if something has the name already; then what was entered is looked at.
  # shellcheck disable=SC2154  # folder is set in front of this text
  mkdir -m 700 "$place/$folder" && cd "$place/$folder" && [ -O . ] &&
    mkfifo keys raw && : >device && : >lease && break
done 2>/dev/null || exit
# Removes it when the host has stopped to write into its lease. Times of files would not do: the
# guest's clock may jump. `pkill -x sh` does not find it, and a sleep that was ended by its name begins
# again.
{ printf qga >/proc/self/comm; } 2>/dev/null
(
  while : >lease; do
    until sleep 25 & echo $! >nap; wait $!; [ $? -le 128 ]; do :; done
    [ -s lease ] || [ -e /run/qga.state.isfrozen ] ||
      [ -e /run/qemu-ga/qga.state.isfrozen ] || break
  done
  # shellcheck disable=SC2046  # two pids
  kill -9 $(cat session carrier)
  rm -rf "$PWD"
) >/dev/null 2>&1 &
echo $! >guard
echo "$PWD"
