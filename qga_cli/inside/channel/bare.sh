# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # qga_end and qga_port come from stream.sh
# Runs the program with the ports themselves for its streams; stream.sh comes before this. For
# programs of ours that know what a port is: each byte has two processes less to pass. There is no
# end of the input but that of the host.
{
  ( qga_around; exec "$@" ) <&4 >&3 3>&- 4>&-
  qga_code=$?
  # The program may have left the port so that nobody waits for room in it; or the port has gone.
  for qga_try in 1 2 3 4 5; do
    ! echo "$qga_end $qga_code" >&3 || break
    [ -e "$qga_port" ] || break
    sleep 1
  done
} &
exec 3>&- 4>&-
wait
