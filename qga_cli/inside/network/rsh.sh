# shellcheck shell=sh
# Runs $1 in the user's login shell, in his home, as sshd does; without $1 the shell reads its input.
# With $2 it is a subsystem's name. The agent may have another umask than sshd: 077 on RHEL, or by -d.
umask 022
if [ "$2" ]; then
  for qga_server in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server \
    /usr/lib/ssh/sftp-server /usr/libexec/sftp-server /usr/lib/sftp-server; do
    [ "$1" != sftp ] || [ ! -x $qga_server ] || exec $qga_server
  done
  echo "no subsystem $1 here" >&2
  exit 127
fi
qga_entry=$(getent passwd "$(id -u)" 2>/dev/null || grep "^[^:]*:[^:]*:$(id -u):" /etc/passwd)
SHELL=${qga_entry##*:}
[ -x "$SHELL" ] || SHELL=/bin/sh
export SHELL
if [ "$qga_entry" ]; then # the agent's own HOME is not set, or /
  qga_entry=${qga_entry%:*}
  HOME=${qga_entry##*:} USER=${qga_entry%%:*}
  LOGNAME=$USER
  export HOME USER LOGNAME
fi
cd 2>/dev/null || cd /
case ${1+given} in
given) exec "$SHELL" -c "$1" ;;
*) exec "$SHELL" -l ;;
esac
